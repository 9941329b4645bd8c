"""What the components are given: plain values, made by whoever calls the programs.

They import no Pulumi, so that plans are made and tested without it. Each travels as
JSON and comes back equal; bytes travel as base64. Fields that hold secrets or files
are left out of `repr`.
"""

from dataclasses import dataclass, field
from typing import Any, Self

import msgspec


class Value:
    """Base of the values below: to JSON and back."""

    __slots__ = ()

    def to_json(self) -> str:
        """All of it, also what is secret; equal values have equal texts."""
        return msgspec.json.encode(self, order="deterministic").decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The inverse of `to_json`; raises ValueError on any other text."""
        return msgspec.json.decode(text, type=cls)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster(Value):
    """How the provider reaches a cluster; both unset, as kubectl does."""

    kubeconfig: str | None = field(default=None, repr=False)
    """Path of a kubeconfig, or its text."""
    context: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRef(Value):
    """The Gateway that routes are attached to."""

    name: str = "cortex"
    namespace: str = "cortex-system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob(Value):
    """A file that pods need: its bytes, or a URL that the init container reads."""

    name: str
    """File name in the pod."""
    digest: str
    """What it is named by in the cluster: sha256 in hex; of a bundle, of the
    uncompressed archive."""
    data: bytes | None = field(default=None, repr=False)
    url: str | None = None
    """Anything that fsspec opens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute(Value):
    """What one replica asks for."""

    cpu: float
    """Cores."""
    mem: int | None = None
    """Bytes."""
    gpu: int = 0
    inf: int = 0
    """AWS Inferentia devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling(Value):
    """How many replicas there are, and when that number changes; periods in seconds."""

    min_replicas: int = 1
    max_replicas: int = 100
    target: float = 1.0
    """Requests in flight that one replica should have."""
    window: float = 60.0
    upscale_stabilization_period: float = 60.0
    downscale_stabilization_period: float = 300.0
    max_upscale_factor: float = 1.5
    max_downscale_factor: float = 0.75
    upscale_tolerance: float = 0.05
    downscale_tolerance: float = 0.05
    prometheus: str | None = None
    """Address of a Prometheus to ask; unset, the replicas are asked themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain(Value):
    """How a replica ends, in seconds."""

    withdraw: float
    """How long it serves on while gateways take it out."""
    grace: int
    """From the signal to the kill: withdraw, requests, hooks and a margin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement(Value):
    """On which nodes pods may run; the dicts are Kubernetes' own."""

    node_selector: dict[str, str] = field(default_factory=dict)
    tolerations: tuple[dict[str, Any], ...] = ()
    topology_spread: tuple[dict[str, Any], ...] = ()
    """Constraints without `labelSelector`; none, replicas spread over nodes where
    that is possible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime(Value):
    """What a pod runs, and how that gets there."""

    image: str
    is_prebuilt: bool = False
    """The image has the server and the requirements: nothing is installed."""
    wheel: Blob | None = None
    """The server; `name` is the file name of a wheel."""
    requirements: tuple[str, ...] = ()
    """Lines of a requirements file."""
    is_locked: bool = False
    """The lines name each package with its version, those that the wheel needs
    included: pip resolves nothing."""
    index_url: str | None = field(default=None, repr=False)
    """Package index; may hold a password."""
    pip_options: tuple[str, ...] = ()
    cache_claim: str | None = None
    """PersistentVolumeClaim that keeps pip's downloads."""
    pull_policy: str | None = None
    pull_secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncAPIArgs(Value):
    """One API on one cluster.

    Whatever changes the pods must change `revision`, and nothing else may: objects of a
    revision are immutable and go by its name.
    """

    name: str
    """DNS label of at most 42 characters."""
    namespace: str
    stack: str
    """Pulumi stack that owns the objects, written on each of them."""
    endpoint: str
    """Path under which the gateway serves the API, such as "/iris"."""
    revision: str
    """12 hex digits."""
    python: str
    """Minor version, such as "3.12"."""
    manifest: str
    """JSON that the server reads."""
    bundle: Blob
    pickle: bytes | None = field(default=None, repr=False)
    """A class from a notebook."""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    """Environment variables of the replicas that are kept secret."""
    keys: tuple[str, ...] | None = field(default=None, repr=False)
    """API keys, None where everybody may call."""
    timeout: float
    """Seconds that a request may take."""
    idempotent: bool = False
    compute: Compute
    scaling: Scaling
    drain: Drain
    max_surge: str = "25%"
    max_unavailable: str = "25%"
    """A number or a percentage, as text."""
    runtime: Runtime
    placement: Placement = field(default_factory=Placement)
    gateway: GatewayRef = field(default_factory=GatewayRef)
    hostnames: tuple[str, ...] = ()
    deployed_at: str
    """RFC 3339; that of the revision when it is the one that runs."""
    features: frozenset[str] = frozenset()
    """What the cluster has beside the standard, such as "BackendTrafficPolicy"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Value):
    """Requests with a header of exactly this value go to one API."""

    header: str
    value: str
    api: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sticky(Value):
    """What keeps a caller with one API: a cookie or a header, one of both."""

    cookie: str | None = None
    header: str | None = None
    lifetime: float | None = None
    """Seconds that the cookie is kept; unset, as long as a browser is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitterArgs(Value):
    """One traffic splitter on one cluster; APIs by name, in its namespace."""

    name: str
    namespace: str
    stack: str
    endpoint: str
    weights: dict[str, int]
    """Percentage of the requests for each API; they add up to 100."""
    shadow: dict[str, int] = field(default_factory=dict)
    """Percentage of the requests that an API gets a copy of."""
    rules: tuple[Rule, ...] = ()
    sticky: Sticky | None = None
    timeout: float
    """Seconds: the longest of its APIs'."""
    idempotent: bool = False
    """Whether all its APIs let a request run twice."""
    gateway: GatewayRef = field(default_factory=GatewayRef)
    hostnames: tuple[str, ...] = ()
    features: frozenset[str] = frozenset()
