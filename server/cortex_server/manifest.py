"""The wire contract: what a replica is told, and the numbers both sides share.

The SDK writes a manifest, the server reads it, and the revision of an API is its
hash; so it holds all that needs new replicas when it changes, and nothing else.
What may change under a running replica (endpoint, autoscaling, API keys, where to
listen) is an argument of the launcher instead. Values of secrets never stand in
it, only a keyed hash of them.
"""

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import msgspec

LOADING_VARIABLE, LOADING_IN_REPLICA = "CORTEX_LOADING", "replica"
"""Set in the environment while a file of the user's is imported only to find the
classes in it; the verbs of the SDK do nothing as long as it is."""

PYTHON_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
"""Minor version of this interpreter: bytecode and pickles do not travel between two."""

LogLevel = Literal["debug", "info", "warning", "error"]
WhenFull = Literal["drop_new", "drop_oldest", "wait"]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value that travels as JSON; a replica is up sooner without pydantic."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check it; raises OSError, or ValueError on any other content."""
        return msgspec.json.decode(path.read_bytes(), type=cls)

    def json(self, indent: int = 0) -> bytes:
        """All of it, defaults too."""
        return msgspec.json.format(msgspec.json.encode(self), indent=indent)


class PredictorModule(
    Record, frozen=True, kw_only=True, tag_field="kind", tag="module"
):
    """A predictor class by reference: imported from the bundle under its own name.

    The same goes for functions that follow a response.
    """

    module: str
    qualname: str


class PredictorPickle(
    Record, frozen=True, kw_only=True, tag_field="kind", tag="pickle"
):
    """A predictor class, or such a function, by value, from a notebook or a REPL.

    `identity` is a hash of its code and of what that refers to, not of the pickle:
    pickling the same class twice gives different bytes.
    """

    identity: str
    qualname: str


Predictor = PredictorModule | PredictorPickle


class Resources(Record, frozen=True, kw_only=True):
    """What one replica asks for: cores, bytes, devices."""

    cpu: float | None = None
    mem: int | None = None
    gpu: int = 0
    inf: int = 0


class Cors(Record, frozen=True, kw_only=True):
    """Which web pages of other origins may call, and what they may send and read."""

    allow_origins: tuple[str, ...] = ("*",)
    allow_methods: tuple[str, ...] = ("GET", "POST", "OPTIONS")
    allow_headers: tuple[str, ...] = ("*",)
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age: float = 600.0


class Batching(Record, frozen=True, kw_only=True):
    """How many requests may share a call, and how long it may wait for them."""

    max_batch_size: int
    batch_interval: float
    """Seconds."""


class Monitoring(Record, frozen=True, kw_only=True):
    """Which part of a response is the prediction, and how it is counted."""

    model_type: Literal["classification", "regression"]
    key: str | None = None


class PostPredict(Record, frozen=True, kw_only=True):
    """Functions that run after a response besides the predictor's method, and how."""

    hooks: tuple[Predictor, ...] = ()
    workers: int = 4
    queue: int = 1000
    when_full: WhenFull = "drop_new"
    timeout: float = 30.0
    """Seconds that one try may take."""
    retries: int = 0


class ModelPath(Record, frozen=True, kw_only=True):
    """One model by name."""

    name: str
    path: str
    """Below the project, or absolute, or a URL."""
    signature_key: str | None = None


class Models(Record, frozen=True, kw_only=True):
    """The models that a predictor asks for: some by name, or a folder of them.

    Which versions there are is no part of it: new ones are taken up as they appear.
    """

    paths: tuple[ModelPath, ...] = ()
    dir: str | None = None
    signature_key: str | None = None
    cache_size: int | None = None
    cache_bytes: int | None = None
    disk_cache_size: int | None = None
    disk_cache_bytes: int | None = None
    reload_interval: float = 10.0
    """Seconds between two looks at the places."""


class Manifest(Record, frozen=True, kw_only=True):
    """Everything that a replica is told, and exactly what its revision hashes."""

    format: Literal[1] = 1
    name: str
    bundle: str
    """sha256 of the uncompressed archive of the user's files."""
    predictor: Predictor
    python: str = PYTHON_VERSION
    python_path: str | None = None
    """Folder inside the bundle that is put on the import path first."""
    requirements: tuple[str, ...] = ()
    config: dict[str, Any] = {}
    env: dict[str, str] = {}
    secrets: str | None = None
    """Keyed hash of the values of `secrets` and `.env`, None where there are none."""
    log_level: LogLevel = "info"
    log_requests: float = 0.0
    """Share of requests that have a line in the log, from 0 to 1."""
    log_slow: float = 10.0
    """Seconds from which on a request has one in any case."""
    processes_per_replica: int = 1
    threads_per_process: int = 1
    max_replica_concurrency: int = 1024
    timeout: float = 600.0
    """Seconds that a request may take, waiting included."""
    idempotent: bool = False
    """Whether a request may run again whose process has died, one of several."""
    batching: Batching | None = None
    """None where each request has a call of its own."""
    max_body_size: int = 100 << 20
    """Bytes that the body of a request may have, also when it has been unpacked."""
    post_predict: PostPredict = PostPredict()
    hook_drain: float = 30.0
    """Seconds that accepted `post_predict` calls get to finish before exit."""
    models: Models | None = None
    compute: Resources = Resources()
    cors: Cors | None = None
    monitoring: Monitoring | None = None

    @property
    def revision(self) -> str:
        """The first 12 hex digits of the sha256 of the canonical JSON form."""
        values = msgspec.to_builtins(self)
        canonical = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def by_value(self) -> str | None:
        """Identity of all that comes from a notebook, None where nothing does."""
        parts = (self.predictor, *self.post_predict.hooks)
        pickles = [part for part in parts if isinstance(part, PredictorPickle)]
        identities = [part.identity for part in pickles]
        if len(identities) > 1:
            return hashlib.sha256(" ".join(identities).encode()).hexdigest()
        return identities[0] if identities else None

    def drain(self, withdraw: float) -> "Drain":
        """The phases of ending a replica of this revision, see Drain."""
        return Drain(withdraw=withdraw, requests=self.timeout, hooks=self.hook_drain)


@dataclass(frozen=True, slots=True)
class Drain:
    """How long each phase of ending a replica may take, in seconds.

    A replica that is told to end says "not ready" at once, serves on for `withdraw`
    seconds while the gateway takes it out, gives accepted requests `requests` seconds
    to finish and then accepted hooks `hooks` seconds. Whoever ends a replica by force
    (a supervisor, the agent, the kubelet) waits `total` before it does. `MARGIN` covers
    what is not counted: closing sockets, the exit of the interpreter.
    """

    MARGIN = 5.0

    withdraw: float
    requests: float
    hooks: float

    @property
    def total(self) -> float:
        """Seconds from the signal until a kill is right."""
        return self.withdraw + self.requests + self.hooks + self.MARGIN


class StartFailure(Record, frozen=True, kw_only=True):
    """Why a replica could not start, as it tells whoever started it."""

    message: str
    """One sentence: the exception, or what is wrong with the predictor."""
    traceback: str = ""
    """The frames of the user's own code and the exception, as Python prints them."""
