"""The way from the gateway to the replicas."""

import math

from cortex_stacks.api.metadata import Manifest, metadata
from cortex_stacks.args import SyncAPIArgs

VARIANT_HEADER = "x-cortex-api"
"""Response header that names the API which has answered."""
POLICIES = "BackendTrafficPolicy"
"""Feature of clusters whose gateway is Envoy Gateway."""
_HEADERS = "HTTPRouteResponseHeaderModification"
_GATEWAY_API = "gateway.networking.k8s.io"
_MARGIN = 5
_UNLIMITED = (1 << 32) - 1
_ACCEPTED = (
    'jsonpath={.status.parents[0].conditions[?(@.type=="Accepted")].status}=True'
)


def route(args: SyncAPIArgs) -> Manifest:
    """The endpoint; replicas see paths without it, and are told what was taken off."""
    rule = {
        "matches": [{"path": {"type": "PathPrefix", "value": args.endpoint}}],
        "filters": _filters(args),
        "timeouts": {"request": longest(args.timeout)},
        "backendRefs": [{"name": args.name, "port": 80}],
    }
    hostnames = {"hostnames": list(args.hostnames)} if args.hostnames else {}
    parent = {"name": args.gateway.name, "namespace": args.gateway.namespace}
    return {
        "apiVersion": f"{_GATEWAY_API}/v1",
        "kind": "HTTPRoute",
        "metadata": metadata(args, annotations={"pulumi.com/waitFor": _ACCEPTED}),
        "spec": {"parentRefs": [parent], **hostnames, "rules": [rule]},
    }


def longest(timeout: float) -> str:
    """How long the gateway waits for a whole answer: a little longer than replicas do.

    So it is the replica that answers 504, and knows what it has not done.
    """
    return f"{math.ceil(timeout) + _MARGIN}s"


def _filters(args: SyncAPIArgs) -> list[Manifest]:
    to_root = {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}
    prefix = {"name": "x-forwarded-prefix", "value": args.endpoint}
    filters: list[Manifest] = [
        {"type": "URLRewrite", "urlRewrite": {"path": to_root}},
        _headers("Request", prefix),
    ]
    if _HEADERS in args.features:
        filters.append(
            _headers("Response", {"name": VARIANT_HEADER, "value": args.name})
        )
    return filters


def _headers(of: str, header: dict[str, str]) -> Manifest:
    kind = f"{of}HeaderModifier"
    return {"type": kind, kind[0].lower() + kind[1:]: {"set": [header]}}


def traffic_policy(args: SyncAPIArgs) -> Manifest | None:
    """What Envoy Gateway does beyond a route, None where the gateway is another."""
    if POLICIES not in args.features:
        return None
    target = {"group": _GATEWAY_API, "kind": "HTTPRoute", "name": args.name}
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "BackendTrafficPolicy",
        "metadata": metadata(args),
        "spec": {"targetRefs": [target], **traffic(args.timeout, args.idempotent)},
    }


def traffic(timeout: float, idempotent: bool) -> Manifest:  # noqa: FBT001  # as declared
    """How Envoy treats replicas, whichever route leads to them.

    Args:
        timeout: Seconds that a request may take.
        idempotent: Whether one may be sent again though a replica has seen it.
    """
    return {
        "loadBalancer": {"type": "LeastRequest"},
        "retry": _retries(idempotent),
        "circuitBreaker": _no_limits(),
        "healthCheck": {"passive": _ejection()},
        "tcpKeepalive": {"probes": 3, "idleTime": "30s", "interval": "10s"},
        "timeout": {
            # Long enough for one packet to be lost on the way to a new replica.
            "tcp": {"connectTimeout": "5s"},
            # Envoy's own five minutes would end a predict that takes longer.
            "http": {"streamIdleTimeout": longest(timeout)},
        },
    }


def _retries(idempotent: bool) -> Manifest:  # noqa: FBT001  # as declared
    """Requests that no replica has seen are safe to send again, others by choice."""
    triggers = ["connect-failure", "refused-stream", "reset-before-request"]
    triggers += ["reset"] if idempotent else []
    pauses = {"baseInterval": "25ms", "maxInterval": "250ms"}
    return {
        "numRetries": 3,
        "retryOn": {"triggers": triggers},
        "perRetry": {"backOff": pauses},
    }


def _no_limits() -> Manifest:
    """A replica refuses what is too much for it; the gateway must not before."""
    limits = ("Connections", "PendingRequests", "ParallelRequests", "ParallelRetries")
    return {f"max{each}": _UNLIMITED for each in limits}


def _ejection() -> Manifest:
    """Replicas that cannot be reached get no requests for a while.

    Without it all requests go to a dead one, which always has the fewest. Answers of
    the predictor, a 500 too, say nothing about whether a replica can be reached.
    """
    return {
        "splitExternalLocalOriginErrors": True,
        "consecutiveLocalOriginFailures": 3,
        "consecutive5XxErrors": 0,
        "interval": "1s",
        "baseEjectionTime": "3s",
        "maxEjectionPercent": 50,
        "alwaysEjectOneEndpoint": True,
    }
