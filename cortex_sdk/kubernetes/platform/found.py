"""What a cluster has of the platform already, whoever put it there."""

from dataclasses import dataclass
from typing import Any

from cortex_sdk.kubernetes.cluster.access import Access, Json
from cortex_stacks.args import GatewayRef
from cortex_stacks.labels import STACK, owner

_CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
_ROUTING = "gateway.networking.k8s.io/v1"
_APP_VERSION = "app.kubernetes.io/version"
_BUNDLE_VERSION = "gateway.networking.k8s.io/bundle-version"
_METRICS_API = "v1beta1.external.metrics.k8s.io"
_OWNING = "gateway.envoyproxy.io/owning-gateway"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the platform that is on the cluster."""

    version: str
    """"" when it does not say."""
    stack: str
    """Label of the stack that made it, "" when it is somebody else's."""

    def is_of(self, stack: str) -> bool:
        """Whether that stack made it."""
        return self.stack == owner(stack)


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway that APIs are attached to."""

    class_name: str
    controller: str
    """What implements its class; "" when there is no such class."""
    features: frozenset[str]
    """Of the Gateway API, that its class says to support."""
    urls: tuple[str, ...]
    """Where it is reached; none while it has no address."""
    is_programmed: bool
    reason: str
    """Why it is not programmed, in the words of what implements it."""


@dataclass(frozen=True, slots=True)
class Found:
    """All that was looked for; None where it is not there."""

    kubernetes: str
    gateway_api: Part | None
    envoy_gateway: Part | None
    keda: Part | None
    metrics: str | None
    """Why KEDA's metrics are not to be had, "" when they are."""
    gateway: Gateway | None

    @property
    def urls(self) -> tuple[str, ...]:
        """Where the gateway says it is reached; () where there is none."""
        return self.gateway.urls if self.gateway else ()


def look(access: Access, ref: GatewayRef) -> Found:
    """Look for everything; raises TargetError when the cluster does not let us."""
    crds = {each["name"]: each for each in access.metadata(*_CRD)}
    gateway_api = crds.get("gateways.gateway.networking.k8s.io")
    envoy_gateway = crds.get("envoyproxies.gateway.envoyproxy.io")
    keda = crds.get("scaledobjects.keda.sh")
    return Found(
        kubernetes=access.version,
        gateway_api=_part(
            gateway_api, _value(gateway_api, "annotations", _BUNDLE_VERSION)
        ),
        envoy_gateway=_part(
            envoy_gateway, _envoy_gateway_version(access) if envoy_gateway else ""
        ),
        keda=_part(keda, _value(keda, "labels", _APP_VERSION)),
        metrics=_metrics(access),
        gateway=gateway_of(access, ref) if gateway_api else None,
    )


def _part(crd: Json | None, version: str) -> Part | None:
    if crd is None:
        return None
    return Part(version=version.removeprefix("v"), stack=_value(crd, "labels", STACK))


def _value(metadata: Json | None, field: str, key: str) -> str:
    return str(((metadata or {}).get(field) or {}).get(key, ""))


def _envoy_gateway_version(access: Access) -> str:
    """The tag of the image that its controller runs."""
    found = access.list("apps/v1", "Deployment", selector="control-plane=envoy-gateway")
    for deployment in found:
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            image = container["image"].partition("@")[0]
            return str(image.rpartition("/")[2].partition(":")[2])
    return ""


def _metrics(access: Access) -> str | None:
    found = access.get("apiregistration.k8s.io/v1", "APIService", _METRICS_API)
    if found is None:
        return None
    available = condition(found, "Available")
    return "" if available.get("status") == "True" else _reason(available)


def gateway_of(access: Access, ref: GatewayRef) -> Gateway | None:
    """The gateway that a target names; None where there is none."""
    found = access.get(_ROUTING, "Gateway", ref.name, ref.namespace)
    if found is None:
        return None
    name = found["spec"]["gatewayClassName"]
    gateway_class = access.get(_ROUTING, "GatewayClass", name) or {}
    supported = gateway_class.get("status", {}).get("supportedFeatures", [])
    programmed = condition(found, "Programmed")
    is_programmed = programmed.get("status") == "True"
    return Gateway(
        class_name=name,
        controller=gateway_class.get("spec", {}).get("controllerName", ""),
        features=frozenset(_feature(each) for each in supported),
        urls=_urls(found, _node_ports(access, ref)),
        is_programmed=is_programmed,
        reason="" if is_programmed else _reason(programmed),
    )


def _feature(supported: Any) -> str:  # noqa: ANN401  # text before Gateway API 1.2
    return str(supported["name"] if isinstance(supported, dict) else supported)


def _urls(gateway: Json, node_ports: dict[int, int]) -> tuple[str, ...]:
    addresses = [
        each["value"] for each in gateway.get("status", {}).get("addresses", [])
    ]
    found = []
    for listener in gateway["spec"]["listeners"]:
        scheme = {"HTTP": "http", "HTTPS": "https"}.get(listener["protocol"])
        if scheme is not None:
            port = node_ports.get(listener["port"], listener["port"])
            found += [_url(scheme, address, port) for address in addresses]
    return tuple(found)


def _url(scheme: str, address: str, port: int) -> str:
    host = f"[{address}]" if ":" in address else address
    is_default = (scheme, port) in {("http", 80), ("https", 443)}
    return f"{scheme}://{host}" if is_default else f"{scheme}://{host}:{port}"


def _node_ports(access: Access, ref: GatewayRef) -> dict[int, int]:
    """Ports of the nodes by port of the gateway, where only those lead to it."""
    selector = f"{_OWNING}-name={ref.name},{_OWNING}-namespace={ref.namespace}"
    services = access.list("v1", "Service", selector=selector)
    return {
        port["port"]: port["nodePort"]
        for service in services
        if service["spec"].get("type") == "NodePort"
        for port in service["spec"]["ports"]
    }


def condition(manifest: Json, kind: str) -> Json:
    """The condition of an object that has this type; {} when it has none."""
    conditions: list[Json] = manifest.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), {})


def _reason(condition: Json) -> str:
    return str(
        condition.get("message") or condition.get("reason") or "nothing is known yet"
    )
