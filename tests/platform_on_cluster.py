"""Stand-ins for what the platform works with: engine, time, parts on a cluster."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fake_cluster import FakeCluster

from cortex_sdk._target import Progress
from cortex_sdk.kubernetes.platform.installing import Clock
from cortex_stacks.labels import STACK

CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
ROUTING = "gateway.networking.k8s.io/v1"
SCALING = "keda.sh/v1alpha1"
OURS = "01234567.cortex-system.platform.platform"
_CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"
_FEATURES = (
    "HTTPRouteRequestTimeout",
    "HTTPRoutePathRewrite",
    "HTTPRouteRequestMirror",
)


@dataclass
class FakeEngine:
    """An engine that remembers what it was told."""

    stacks: set[str] = field(default_factory=set)
    then: Callable[[], None] = lambda: None
    """What an `up` does to the cluster."""
    did: list[str] = field(default_factory=list)

    def up(
        self, stack: str, program: Callable[[], None], progress: Progress
    ) -> "FakeOutcome":
        progress("making things")
        self.stacks.add(stack)
        self.did.append("up")
        self.then()
        return FakeOutcome(changed=True)

    def destroy(self, stack: str, progress: Progress) -> "FakeOutcome":
        progress("deleting things")
        self.stacks.discard(stack)
        self.did.append("destroy")
        return FakeOutcome(changed=True)

    def exists(self, stack: str) -> bool:
        return stack in self.stacks


@dataclass(frozen=True)
class FakeOutcome:
    changed: bool


@dataclass
class Clockwork:
    """Time that passes only by sleeping, and what happens in the meantime."""

    time: float = 0.0
    then: Callable[[], None] = lambda: None

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.time, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.time += seconds
        self.then()


def add_gateway_api(
    cluster: FakeCluster, version: str = "v1.6.1", stack: str = OURS
) -> None:
    cluster.add(
        *CRD,
        "gateways.gateway.networking.k8s.io",
        annotations={"gateway.networking.k8s.io/bundle-version": version},
        labels=_labels(stack),
    )
    cluster.know(ROUTING, "Gateway", "gateways", namespaced=True)
    cluster.know(ROUTING, "GatewayClass", "gatewayclasses", namespaced=False)
    cluster.know(ROUTING, "HTTPRoute", "httproutes", namespaced=True)


def add_envoy_gateway(
    cluster: FakeCluster, version: str = "v1.9.0", stack: str = OURS
) -> None:
    cluster.add(*CRD, "envoyproxies.gateway.envoyproxy.io", labels=_labels(stack))
    image = f"docker.io:443/envoyproxy/gateway:{version}@sha256:0"
    containers = [{"name": "envoy-gateway", "image": image}]
    cluster.add(
        "apps/v1",
        "Deployment",
        "envoy-gateway",
        "envoy-gateway-system",
        labels={"control-plane": "envoy-gateway"},
        spec={"template": {"spec": {"containers": containers}}},
    )


def add_keda(
    cluster: FakeCluster,
    version: str = "2.20.2",
    stack: str = OURS,
    available: str = "True",
) -> None:
    cluster.add(
        *CRD,
        "scaledobjects.keda.sh",
        labels={"app.kubernetes.io/version": version, **_labels(stack)},
    )
    cluster.know(SCALING, "ScaledObject", "scaledobjects", namespaced=True)
    cluster.know(SCALING, "ScaledJob", "scaledjobs", namespaced=True)
    cluster.add(
        "apiregistration.k8s.io/v1",
        "APIService",
        "v1beta1.external.metrics.k8s.io",
        labels=_labels(stack),
        status=_status("Available", available, "no endpoints"),
    )


def add_gateway(
    cluster: FakeCluster,
    *,
    name: str = "cortex",
    namespace: str = "cortex-system",
    programmed: str = "True",
    message: str = "",
    **fields: Any,
) -> None:
    listeners = fields.pop("listeners", [{"protocol": "HTTP", "port": 80}])
    addresses = [{"value": each} for each in fields.pop("addresses", ["203.0.113.7"])]
    features = fields.pop("features", _FEATURES)
    cluster.add(
        ROUTING,
        "Gateway",
        name,
        namespace,
        labels={"app.kubernetes.io/part-of": "cortex"},
        spec={"gatewayClassName": "cortex", "listeners": listeners},
        status={
            "addresses": addresses,
            **_status("Programmed", programmed, message),
        },
    )
    cluster.add(
        ROUTING,
        "GatewayClass",
        "cortex",
        spec={"controllerName": fields.pop("controller", _CONTROLLER)},
        status={"supportedFeatures": [{"name": each} for each in features]},
    )


def add_all(cluster: FakeCluster) -> None:
    add_gateway_api(cluster)
    add_envoy_gateway(cluster)
    add_keda(cluster)
    add_gateway(cluster)


def add_api(cluster: FakeCluster, name: str, namespace: str) -> None:
    cluster.add(
        "apps/v1",
        "Deployment",
        name,
        namespace,
        labels={
            "app.kubernetes.io/part-of": "cortex",
            "app.kubernetes.io/component": "api",
            "app.kubernetes.io/name": name,
        },
    )


def _labels(stack: str) -> dict[str, str]:
    return {STACK: stack} if stack else {}


def _status(kind: str, status: str, message: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, "message": message}]}
