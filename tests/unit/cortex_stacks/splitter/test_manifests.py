import re
from dataclasses import replace
from typing import Any

import pytest

from cortex_stacks.args import Rule, SplitterArgs, Sticky
from cortex_stacks.splitter.manifests import resources

FEATURES = frozenset({"BackendTrafficPolicy", "HTTPRouteResponseHeaderModification"})
IRIS = SplitterArgs(
    name="iris",
    namespace="default",
    stack="1a2b3c4d.default.splitter.iris",
    endpoint="/iris",
    weights={"b": 20, "a": 80, "c": 0},
    timeout=600.0,
    features=FEATURES,
)


def rules(**changes: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]]
    found = resources(replace(IRIS, **changes))["route"]["spec"]["rules"]
    return found


def weights(rule: dict[str, Any]) -> dict[str, int]:
    return {each["name"]: each["weight"] for each in rule["backendRefs"]}


def added(rule: dict[str, Any], api: str) -> dict[str, Any]:
    """What the answers of an API get."""
    (ref,) = (each for each in rule["backendRefs"] if each["name"] == api)
    (one,) = ref["filters"]
    found: dict[str, Any] = one["responseHeaderModifier"]
    return found


def test_requests_are_shared_out_among_the_apis_with_a_weight() -> None:
    (rule,) = rules()

    assert weights(rule) == {"a": 80, "b": 20}


def test_the_order_of_weights_is_no_change() -> None:
    assert rules(weights={"a": 80, "b": 20}) == rules(weights={"b": 20, "a": 80})


def test_every_answer_names_its_api() -> None:
    (rule,) = rules()

    for api in ("a", "b"):
        assert added(rule, api)["set"] == [{"name": "x-cortex-api", "value": api}]


def test_rules_come_in_their_order_before_cookies_and_weights() -> None:
    forced = tuple(Rule(header=name, value="1", api="c") for name in ("x-2", "x-1"))

    found = rules(rules=forced, sticky=Sticky(cookie="variant"))

    matches = [rule["matches"][0].get("headers", [{}])[0] for rule in found]
    assert [match.get("name") for match in matches] == [
        *("x-2", "x-1"),
        *("cookie", "cookie"),
        None,
    ]
    assert weights(found[0]) == {"c": 1}


@pytest.mark.parametrize(
    ("cookie", "fits"),
    [
        ("v.1=a", True),
        ("x=y; v.1=a; z=1", True),
        ("x=y;v.1=a", True),
        ("v.1=ab", False),
        ("v.1=b", False),
        ("vx1=a", False),
        ("xv.1=a", False),
    ],
)
def test_a_cookie_is_read_by_its_whole_name_and_value(cookie: str, fits: bool) -> None:  # noqa: FBT001  # a case
    (by_cookie, *_) = rules(sticky=Sticky(cookie="v.1"))
    (header,) = by_cookie["matches"][0]["headers"]

    assert (re.fullmatch(header["value"], cookie) is not None) is fits


def test_a_cookie_is_set_where_weights_decide_and_nowhere_else() -> None:
    forced = (Rule(header="x", value="1", api="a"),)

    first, *_, last = rules(rules=forced, sticky=Sticky(cookie="v", lifetime=60.0))

    assert "add" not in added(first, "a")
    assert added(last, "b")["add"] == [
        {
            "name": "set-cookie",
            "value": "v=b; Path=/iris; Max-Age=60; HttpOnly; SameSite=Lax",
        }
    ]


def test_copies_go_to_shadows_from_every_rule() -> None:
    forced = (Rule(header="x", value="1", api="a"),)

    for rule in rules(rules=forced, shadow={"d": 10, "e": 0}):
        mirrors = [one for one in rule["filters"] if one["type"] == "RequestMirror"]
        assert [one["requestMirror"] for one in mirrors] == [
            {"backendRef": {"name": "d", "port": 80}, "percent": 10}
        ]


def test_a_header_decides_by_its_hash() -> None:
    policy = resources(replace(IRIS, sticky=Sticky(header="x-user")))["traffic-policy"]

    assert policy["spec"]["loadBalancer"] == {
        "type": "ConsistentHash",
        "consistentHash": {"type": "Headers", "headers": [{"name": "x-user"}]},
    }


def test_another_gateway_gets_a_plain_route() -> None:
    made = resources(replace(IRIS, features=frozenset()))

    assert list(made) == ["route"]
    assert "ResponseHeaderModifier" not in str(made)


def test_a_route_remembers_what_it_was_made_of() -> None:
    annotations = resources(IRIS)["route"]["metadata"]["annotations"]

    assert SplitterArgs.from_json(annotations["cortex-sdk/settings"]) == IRIS
