"""One traffic splitter as plain Kubernetes objects: a pure function of its arguments.

Requests go to the Services of the APIs, past their own routes. In each rule the API is
named by a filter of its own reference, since only there it is known which one it was.
"""

import re
from typing import Any

from cortex_stacks.api.routing import POLICIES, VARIANT_HEADER, longest, traffic
from cortex_stacks.args import Rule, SplitterArgs
from cortex_stacks.labels import SETTINGS, labels

Manifest = dict[str, Any]

RESPONSE_HEADERS = "HTTPRouteResponseHeaderModification"
"""Feature without which no answer names its API, and no cookie is set."""
_GATEWAY_API = "gateway.networking.k8s.io"
_ACCEPTED = (
    'jsonpath={.status.parents[0].conditions[?(@.type=="Accepted")].status}=True'
)


def resources(args: SplitterArgs) -> dict[str, Manifest]:
    """All objects of a splitter by their logical name, in the order of their making."""
    policy = {"traffic-policy": _policy(args)} if POLICIES in args.features else {}
    return {**policy, "route": _route(args)}


def _route(args: SplitterArgs) -> Manifest:
    """What rules say, then what cookies say, then what the weights say.

    Of rules that fit, a gateway takes the one with the most headers, and of those with
    as many the first.
    """
    rules = [_rule(args, _exactly(rule), {rule.api: 1}) for rule in args.rules]
    weights = {name: weight for name, weight in sorted(args.weights.items()) if weight}
    cookie = args.sticky.cookie if args.sticky else None
    if cookie is not None:
        rules += [_rule(args, _says(cookie, api), {api: 1}) for api in weights]
    rules.append(_rule(args, None, weights, cookie))
    parent = {"name": args.gateway.name, "namespace": args.gateway.namespace}
    hostnames = {"hostnames": list(args.hostnames)} if args.hostnames else {}
    annotations = {"pulumi.com/waitFor": _ACCEPTED, SETTINGS: args.to_json()}
    return {
        "apiVersion": f"{_GATEWAY_API}/v1",
        "kind": "HTTPRoute",
        "metadata": _metadata(args) | {"annotations": annotations},
        "spec": {"parentRefs": [parent], **hostnames, "rules": rules},
    }


def _rule(
    args: SplitterArgs,
    header: Manifest | None,
    weights: dict[str, int],
    cookie: str | None = None,
) -> Manifest:
    path = {"path": {"type": "PathPrefix", "value": args.endpoint}}
    return {
        "matches": [path | ({"headers": [header]} if header else {})],
        "filters": [*_to_root(args.endpoint), *_copies(args.shadow)],
        "timeouts": {"request": longest(args.timeout)},
        "backendRefs": [
            {**_service(name), "weight": weight, **_answers(args, name, cookie)}
            for name, weight in weights.items()
        ],
    }


def _exactly(rule: Rule) -> Manifest:
    return {"type": "Exact", "name": rule.header, "value": rule.value}


def _says(cookie: str, api: str) -> Manifest:
    """Callers whose cookie names an API."""
    said = rf"(.*;\s*)?{re.escape(cookie)}={api}(\s*;.*)?"
    return {"type": "RegularExpression", "name": "cookie", "value": said}


def _to_root(endpoint: str) -> list[Manifest]:
    """APIs see paths without the endpoint, and are told what was taken off."""
    path = {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}
    prefix = {"name": "x-forwarded-prefix", "value": endpoint}
    return [
        {"type": "URLRewrite", "urlRewrite": {"path": path}},
        {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [prefix]}},
    ]


def _copies(shadow: dict[str, int]) -> list[Manifest]:
    return [
        {
            "type": "RequestMirror",
            "requestMirror": {"backendRef": _service(name), "percent": percent},
        }
        for name, percent in sorted(shadow.items())
        if percent
    ]


def _service(api: str) -> Manifest:
    return {"name": api, "port": 80}


def _answers(args: SplitterArgs, api: str, cookie: str | None) -> Manifest:
    """What is added to the answers of one API: its name, and where asked a cookie."""
    if RESPONSE_HEADERS not in args.features:
        return {}
    headers: Manifest = {"set": [{"name": VARIANT_HEADER, "value": api}]}
    if cookie is not None:
        headers["add"] = [{"name": "set-cookie", "value": _cookie(args, cookie, api)}]
    modifier = {"type": "ResponseHeaderModifier", "responseHeaderModifier": headers}
    return {"filters": [modifier]}


def _cookie(args: SplitterArgs, cookie: str, api: str) -> str:
    lifetime = args.sticky.lifetime if args.sticky else None
    age = [] if lifetime is None else [f"Max-Age={lifetime:.0f}"]
    parts = [f"{cookie}={api}", f"Path={args.endpoint}", *age]
    return "; ".join([*parts, "HttpOnly", "SameSite=Lax"])


def _policy(args: SplitterArgs) -> Manifest:
    """How Envoy Gateway treats replicas, and what keeps a caller with one API."""
    target = {"group": _GATEWAY_API, "kind": "HTTPRoute", "name": args.name}
    spec = {"targetRefs": [target], **traffic(args.timeout, args.idempotent)}
    header = args.sticky.header if args.sticky else None
    if header is not None:
        # Where there are weights, Envoy Gateway chooses among them by the hash too.
        by_hash = {"type": "Headers", "headers": [{"name": header}]}
        spec["loadBalancer"] = {"type": "ConsistentHash", "consistentHash": by_hash}
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "BackendTrafficPolicy",
        "metadata": _metadata(args),
        "spec": spec,
    }


def _metadata(args: SplitterArgs) -> Manifest:
    return {
        "name": args.name,
        "namespace": args.namespace,
        "labels": labels(args.name, "splitter", args.stack),
    }
