"""What a target says about the platform of its cluster."""

from typing import Annotated, Literal

from pydantic import Field

from cortex_sdk.declaration.value import Value


class Platform(Value):
    """What `cortex cluster up` puts on a cluster that does not have it.

    Sources are files, or URLs that end in "#sha256=" and the checksum; unset, the
    release that this version of the SDK was made for.
    """

    gateway_api: str | None = None
    """Release manifest of the Gateway API."""
    envoy_gateway: str | None = None
    """Release manifest of Envoy Gateway."""
    keda: str | None = None
    """Release manifest of KEDA."""
    service: Literal["LoadBalancer", "NodePort", "ClusterIP"] = "LoadBalancer"
    """How the gateway is reached from outside the cluster."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """Annotations of the gateway's Service: what a cloud's load balancer is told."""
    replicas: Annotated[int, Field(ge=1, le=100)] = 2
    """Envoys of the gateway."""
    image: str | None = None
    """Image of Envoy; unset, the one that the release of Envoy Gateway names."""
    tls_secret: str | None = None
    """Secret in the namespace `cortex-system` with certificate and key; unset, the
    gateway speaks no HTTPS."""
