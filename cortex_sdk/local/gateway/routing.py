"""The gateway's routes as a pure function of the APIs and splitters there are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cortex_sdk.local.gateway.split import Split
from cortex_sdk.local.gateway.xds import NO_LIMIT, ROUTES, TYPES, Json, Route, resources

ROUTES_TYPE = f"{TYPES}.config.route.v3.RouteConfiguration"
VARIANT = "x-cortex-api"
"""Response header with the API that has answered."""
_NEVER_SENT = "connect-failure,refused-stream,reset-before-request"
_SET, _ADD = "OVERWRITE_IF_EXISTS_OR_ADD", "APPEND_IF_EXISTS_OR_ADD"


@dataclass(frozen=True, slots=True)
class Table:
    """All that the gateway should lead to."""

    apis: tuple[Route, ...] = ()
    splits: tuple[Split, ...] = ()


def routes(table: Table) -> Json:
    """The routes of all APIs and splitters, longest endpoint first."""
    things: list[Route | Split] = [*table.apis, *table.splits]
    by_length = sorted(things, key=lambda one: (-len(one.endpoint), one.endpoint))
    repeatable = {api.name for api in table.apis if api.idempotent}
    found = [
        route
        for one in by_length
        for route in (
            _of_split(one, repeatable) if isinstance(one, Split) else _of_api(one)
        )
    ]
    hosts = [{"name": "apis", "domains": ["*"], "routes": found}]
    return resources(ROUTES_TYPE, [{"name": ROUTES, "virtual_hosts": hosts}])


def _of_api(api: Route) -> list[Json]:
    action = {"cluster": api.name, "retry_policy": _retries(idempotent=api.idempotent)}
    named = {"response_headers_to_add": [_header(VARIANT, api.name)]}
    return [route | named for route in _at(api.endpoint, action)]


def _of_split(split: Split, repeatable: set[str]) -> Iterator[Json]:
    """What rules say, then what cookies say, then what the weights say."""
    shadows = {"request_mirror_policies": _shadows(split)}
    for api, header in [*_ruled(split), *_remembered(split)]:
        yield from _at(split.endpoint, _to(split, [api], repeatable) | shadows, header)
    weighted = sorted(name for name, weight in split.apis.items() if weight)
    action = _to(split, weighted, repeatable, is_choice=True) | shadows
    yield from _at(split.endpoint, action)


def _at(endpoint: str, action: Json, *headers: Json) -> list[Json]:
    """The endpoint itself and all below it, both without the prefix.

    Two routes, because one that matches both would rewrite "/iris/x" to "//x".
    """
    matches = [{"path": endpoint}, {"prefix": f"{endpoint}/"}]
    whole = {
        "prefix_rewrite": "/",
        "timeout": NO_LIMIT,
        "idle_timeout": NO_LIMIT,
        **action,
    }
    # What is taken off the path, for what replicas say of their own addresses.
    told = {"request_headers_to_add": [_header("x-forwarded-prefix", endpoint)]}
    with_headers = {"headers": list(headers)} if headers else {}
    return [
        {"match": match | with_headers, "route": whole, **told} for match in matches
    ]


def _ruled(split: Split) -> list[tuple[str, Json]]:
    return [
        (rule.api, {"name": rule.header, "string_match": {"exact": rule.value}})
        for rule in split.rules
    ]


def _remembered(split: Split) -> list[tuple[str, Json]]:
    """Callers whose cookie names an API that still gets requests."""
    if split.sticky is None or split.sticky.cookie is None:
        return []
    cookie = re.escape(split.sticky.cookie)
    return [
        (
            name,
            {
                "name": "cookie",
                "string_match": {
                    "safe_regex": {"regex": rf"(.*;\s*)?{cookie}={name}(\s*;.*)?"}
                },
            },
        )
        for name, weight in sorted(split.apis.items())
        if weight
    ]


def _to(
    split: Split, apis: list[str], repeatable: set[str], *, is_choice: bool = False
) -> Json:
    """Send requests to these APIs by weight, and name the one that was chosen."""
    clusters: dict[str, Any] = {
        "clusters": [
            {
                "name": name,
                "weight": split.apis[name] if is_choice else 1,
                "response_headers_to_add": [
                    _header(VARIANT, name),
                    *(_cookie(split, name) if is_choice else ()),
                ],
            }
            for name in apis
        ]
    }
    action: Json = {
        "weighted_clusters": clusters,
        "retry_policy": _retries(idempotent=repeatable.issuperset(apis)),
    }
    if is_choice and split.sticky and split.sticky.header:
        clusters["use_hash_policy"] = True
        action["hash_policy"] = [{"header": {"header_name": split.sticky.header}}]
    return action


def _cookie(split: Split, api: str) -> list[Json]:
    """Have the caller remember which API it was."""
    sticky = split.sticky
    if sticky is None or sticky.cookie is None:
        return []
    parts = [f"{sticky.cookie}={api}", f"Path={split.endpoint}"]
    if sticky.lifetime is not None:
        parts.append(f"Max-Age={sticky.lifetime:.0f}")
    value = "; ".join([*parts, "HttpOnly", "SameSite=Lax"])
    return [_header("set-cookie", value, action=_ADD)]


def _shadows(split: Split) -> list[Json]:
    return [
        {
            "cluster": name,
            "runtime_fraction": {
                "default_value": {"numerator": share, "denominator": "HUNDRED"}
            },
            # Copies are as much for the API's own host as requests are.
            "disable_shadow_host_suffix_append": True,
        }
        for name, share in sorted(split.shadow.items())
        if share
    ]


def _header(name: str, value: str, action: str = _SET) -> Json:
    header = {"key": name, "value": value.replace("%", "%%")}
    return {"header": header, "append_action": action}


def _retries(*, idempotent: bool) -> Json:
    """Requests that no replica has seen are safe to send again, others by choice."""
    return {
        "retry_on": f"{_NEVER_SENT},reset" if idempotent else _NEVER_SENT,
        "num_retries": 3,
        "retry_host_predicate": [
            {
                "name": "previous_hosts",
                "typed_config": {
                    "@type": f"{TYPES}.extensions.retry.host.previous_hosts.v3"
                    ".PreviousHostsPredicate"
                },
            }
        ],
        "host_selection_retry_max_attempts": 3,
    }
