from pathlib import Path
from typing import Any

import pytest

from cortex_sdk.local.gateway import routing
from cortex_sdk.local.gateway.routing import Table
from cortex_sdk.local.gateway.split import Split, SplitRule, SplitSticky
from cortex_sdk.local.gateway.xds import Route

IRIS = Route("iris", "/iris", (Path("/run/a/http.sock"),))
A, B = Route("a", "/a", ()), Route("b", "/b", ())


def split(**changes: Any) -> Split:
    values = {"name": "all", "endpoint": "/all", "apis": {"b": 20, "a": 80}}
    return Split(**values | changes)


def targets(route: dict[str, Any]) -> dict[str, int]:
    clusters = route["route"]["weighted_clusters"]["clusters"]
    return {cluster["name"]: cluster["weight"] for cluster in clusters}


def answered(route: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Headers that each API's answers get."""
    return {
        cluster["name"]: {
            one["header"]["key"]: one["header"]["value"]
            for one in cluster["response_headers_to_add"]
        }
        for cluster in route["route"]["weighted_clusters"]["clusters"]
    }


def table(*things: Route | Split) -> list[dict[str, Any]]:
    apis = tuple(one for one in things if isinstance(one, Route))
    splits = tuple(one for one in things if isinstance(one, Split))
    (resource,) = routing.routes(Table(apis, splits))["resources"]
    (host,) = resource["virtual_hosts"]
    found: list[dict[str, Any]] = host["routes"]
    return found


def test_the_endpoint_and_all_below_it_lead_to_the_api_without_the_prefix() -> None:
    matches = [route["match"] for route in table(IRIS)]
    rewrites = {route["route"]["prefix_rewrite"] for route in table(IRIS)}

    assert matches == [{"path": "/iris"}, {"prefix": "/iris/"}]
    assert rewrites == {"/"}


def test_longer_endpoints_come_first() -> None:
    apis = [Route(name, name, ()) for name in ("/a", "/a/b/c", "/b", "/a/b")]

    paths = [route["match"].get("path") for route in table(*apis)][::2]

    assert paths == ["/a/b/c", "/a/b", "/a", "/b"]


def test_only_requests_that_no_replica_has_seen_are_repeated() -> None:
    (policy, _) = (route["route"]["retry_policy"] for route in table(IRIS))

    assert policy["retry_on"] == "connect-failure,refused-stream,reset-before-request"


def test_requests_of_an_idempotent_api_are_repeated_after_a_reset_too() -> None:
    api = Route("iris", "/iris", (), idempotent=True)

    (policy, _) = (route["route"]["retry_policy"] for route in table(api))

    assert policy["retry_on"].split(",")[-1] == "reset"


def test_no_time_limit_is_the_routes() -> None:
    actions = [route["route"] for route in table(IRIS, split())]

    assert {action["timeout"] for action in actions} == {"0s"}
    assert {action["idle_timeout"] for action in actions} == {"0s"}


def test_a_splitter_shares_out_by_weight_and_names_the_api() -> None:
    first, below = table(split())

    assert first["match"] == {"path": "/all"}
    assert below["match"] == {"prefix": "/all/"}
    assert targets(first) == targets(below) == {"a": 80, "b": 20}
    assert answered(first) == {"a": {"x-cortex-api": "a"}, "b": {"x-cortex-api": "b"}}


def test_the_order_of_weights_is_no_change() -> None:
    assert table(split()) == table(split(apis={"a": 80, "b": 20}))


def test_an_api_without_weight_gets_what_rules_give_it() -> None:
    rule = SplitRule(header="x-variant", value="b", api="b")

    ruled, _, weighed, _ = table(split(apis={"a": 100, "b": 0}, rules=(rule,)))

    assert ruled["match"]["headers"] == [
        {"name": "x-variant", "string_match": {"exact": "b"}}
    ]
    assert targets(ruled) == {"b": 1}
    assert targets(weighed) == {"a": 100}


def test_rules_come_in_their_order_before_cookies_and_weights() -> None:
    rules = tuple(SplitRule(header=name, value="1", api="a") for name in ("x-2", "x-1"))
    sticky = SplitSticky(cookie="variant")

    found = table(split(rules=rules, sticky=sticky))[::2]

    headers = [route["match"].get("headers", [{}])[0].get("name") for route in found]
    assert headers == ["x-2", "x-1", "cookie", "cookie", None]


def test_a_cookie_says_for_how_long_and_where_it_counts() -> None:
    sticky = SplitSticky(cookie="variant", lifetime=60)

    *_, weighed = table(split(sticky=sticky))

    assert answered(weighed)["a"]["set-cookie"] == (
        "variant=a; Path=/all; Max-Age=60; HttpOnly; SameSite=Lax"
    )


def test_a_cookie_of_an_api_without_weight_counts_no_more() -> None:
    sticky = SplitSticky(cookie="variant")

    found = table(split(apis={"a": 100, "b": 0}, sticky=sticky))[::2]

    assert [targets(route) for route in found] == [{"a": 1}, {"a": 100}]


def test_a_header_decides_by_its_hash() -> None:
    route, _ = table(split(sticky=SplitSticky(header="x-user")))

    assert route["route"]["hash_policy"] == [{"header": {"header_name": "x-user"}}]
    assert route["route"]["weighted_clusters"]["use_hash_policy"] is True


def test_copies_go_to_shadows_also_of_what_rules_send() -> None:
    rule = SplitRule(header="x-variant", value="b", api="b")

    found = table(split(shadow={"c": 10, "d": 0}, rules=(rule,)))

    (policy,) = {str(route["route"]["request_mirror_policies"]) for route in found}
    assert "'cluster': 'c'" in policy
    assert "'numerator': 10, 'denominator': 'HUNDRED'" in policy
    assert "'cluster': 'd'" not in policy


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_splitter_repeats_what_all_its_apis_let_be_repeated(
    *,
    idempotent: bool,
) -> None:
    again = Route("a", "/a", (), idempotent=True)
    other = Route("b", "/b", (), idempotent=idempotent)

    found = table(again, other, split())

    (route, _) = (one for one in found if one["match"] in all_of("/all"))
    policy = route["route"]["retry_policy"]["retry_on"]
    assert policy.endswith(",reset") is idempotent


def all_of(endpoint: str) -> list[dict[str, str]]:
    return [{"path": endpoint}, {"prefix": f"{endpoint}/"}]


def test_a_splitter_below_an_api_comes_before_it() -> None:
    paths = [route["match"].get("path") for route in table(A, split(endpoint="/a/all"))]

    assert paths[::2] == ["/a/all", "/a"]
