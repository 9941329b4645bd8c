"""What an API needs of a cluster, and what it may use there."""

from cortex_sdk.errors import UnsupportedError
from cortex_sdk.kubernetes.platform.found import Found, Part
from cortex_stacks.args import GatewayRef

KUBERNETES = "1.33"
GATEWAY_API = "1.2"
ENVOY_GATEWAY = "1.7"
# Until 2.20 it asked all pods of a namespace for the load of one API.
KEDA = "2.20"
"""Oldest versions that are known to have what is used."""

_TOLERANCE = "1.35"
_ENVOY = "gateway.envoyproxy.io/gatewayclass-controller"
_NEEDED = {"HTTPRouteRequestTimeout": "timeouts", "HTTPRoutePathRewrite": "rewrites"}
# Envoy Gateway does not list on its class what it supports; this is what is used of it.
_OF_ENVOY = {
    "BackendTrafficPolicy",
    "HTTPRoutePathRewrite",
    "HTTPRouteRequestMirror",
    "HTTPRouteRequestMultipleMirrors",
    "HTTPRouteRequestPercentageMirror",
    "HTTPRouteRequestTimeout",
    "HTTPRouteResponseHeaderModification",
}


def features(found: Found) -> frozenset[str]:
    """What the cluster has beside the standard.

    The names of the Gateway API's features that the gateway supports, and
    "BackendTrafficPolicy" where it is Envoy Gateway, "HPAConfigurableTolerance" where
    Kubernetes takes tolerances.
    """
    names = set(found.gateway.features) if found.gateway else set()
    if found.gateway and found.gateway.controller == _ENVOY:
        names |= _OF_ENVOY
    if at_least(found.kubernetes, _TOLERANCE):
        names.add("HPAConfigurableTolerance")
    return frozenset(names)


def require(found: Found, ref: GatewayRef) -> None:
    """Raise UnsupportedError that names all that is missing, if anything is."""
    if lacks := missing(found, ref):
        msg = (
            f"the cluster cannot serve APIs yet: {'; '.join(lacks)}; run `cortex"
            " cluster up`, which leaves alone what is there, or install it yourself"
        )
        raise UnsupportedError(msg)


def missing(found: Found, ref: GatewayRef) -> list[str]:
    """One clause for each thing that is missing or too old."""
    clauses = [
        _too_old("Kubernetes", Part(found.kubernetes, ""), KUBERNETES),
        _too_old("Gateway API", found.gateway_api, GATEWAY_API),
        _gateway(found, ref),
        _too_old("KEDA", found.keda, KEDA),
        _metrics(found),
    ]
    return [clause for clause in clauses if clause]


def outdated(found: Found) -> list[str]:
    """Clauses for what is there and too old, none for what is not there."""
    parts = (
        ("Kubernetes", Part(found.kubernetes, ""), KUBERNETES),
        ("Gateway API", found.gateway_api, GATEWAY_API),
        ("Envoy Gateway", found.envoy_gateway, ENVOY_GATEWAY),
        ("KEDA", found.keda, KEDA),
    )
    clauses = [_too_old(title, part, least) for title, part, least in parts if part]
    return [clause for clause in clauses if clause]


def _too_old(title: str, part: Part | None, least: str) -> str:
    if part is None:
        return f"{title} is missing"
    if part.version and not at_least(part.version, least):
        return f"{title} is {part.version} and must be {least} or newer"
    return ""


def _gateway(found: Found, ref: GatewayRef) -> str:
    where = f"Gateway {ref.name} in namespace {ref.namespace}"
    if found.gateway is None:
        return f"{where} is missing" if found.gateway_api else ""
    if not found.gateway.controller:
        return f"{where} has a class that is missing, {found.gateway.class_name}"
    # A class that lists nothing is of a controller that does not say.
    if found.gateway.features:
        lacks = [
            word for name, word in _NEEDED.items() if name not in found.gateway.features
        ]
        if lacks:
            return f"{where} does not support {' and '.join(lacks)} of routes"
    return ""


def _metrics(found: Found) -> str:
    if found.keda and found.metrics is None:
        return "KEDA's metrics API (v1beta1.external.metrics.k8s.io) is missing"
    if found.keda and found.metrics:
        return f"KEDA's metrics API does not answer ({found.metrics})"
    return ""


def at_least(version: str, least: str) -> bool:
    """Whether a version such as "1.36.3" or "1.31.4-gke.7" is not older than another.

    One that has no number, such as "main", is taken for new.
    """
    return not (found := _numbers(version)) or found >= _numbers(least)


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.partition("-")[0].partition("+")[0].split(".")[:2]
    return tuple(int(part) for part in parts) if all(map(str.isdigit, parts)) else ()
