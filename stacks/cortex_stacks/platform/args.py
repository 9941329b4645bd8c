"""What the platform is made of, as plain values."""

from dataclasses import dataclass, field
from typing import Literal

from cortex_stacks.args import Value

ServiceType = Literal["LoadBalancer", "NodePort", "ClusterIP"]

STACK_NAME = "platform"
NAMESPACE = "cortex-system"
"""Where the gateway and its settings are."""
GATEWAY = "cortex"
"""Name of the Gateway and of its GatewayClass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayArgs(Value):
    """The gateway that all APIs are reached through."""

    service: ServiceType = "LoadBalancer"
    """How it is reached from outside the cluster."""
    annotations: dict[str, str] = field(default_factory=dict)
    """Of its Service: what a cloud's load balancer is told."""
    replicas: int = 2
    """Envoys."""
    image: str | None = None
    """Envoy's image; unset, the one that the release of Envoy Gateway names."""
    drain: int = 600
    """Seconds for which an Envoy that ends lets requests finish."""
    tls_secret: str | None = None
    """Secret in `cortex-system` with certificate and key; unset, no HTTPS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformArgs(Value):
    """What a cluster needs before it can serve; a part that is None is left alone.

    Parts of others are manifests of their releases, as they were published.
    """

    stack: str
    """Pulumi stack that owns the objects, written on each of them."""
    gateway_api: str | None = field(default=None, repr=False)
    envoy_gateway: str | None = field(default=None, repr=False)
    keda: str | None = field(default=None, repr=False)
    gateway: GatewayArgs | None = field(default_factory=GatewayArgs)
