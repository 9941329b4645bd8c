import pytest

from cortex_sdk import InvalidSpecError, Rule, Sticky, SyncAPI, TrafficSplitter
from cortex_sdk.declaration.value import Value


class Iris:
    def predict(self, payload: object) -> object:
        return payload


A, B = SyncAPI(Iris, name="iris-a"), SyncAPI(Iris, name="iris-b")


def refusal(**fields: object) -> str:
    with pytest.raises(InvalidSpecError) as caught:
        TrafficSplitter(**{"name": "iris", "apis": {"iris-a": 100}} | fields)
    return str(caught.value)


def test_defaults() -> None:
    splitter = TrafficSplitter("iris", apis={"iris-a": 80, "iris-b": 20})
    assert splitter.endpoint == "/iris"
    assert splitter.shadow == {}
    assert splitter.rules == ()
    assert splitter.sticky is None


def test_an_api_stands_for_its_name() -> None:
    rule = {"header": "x-variant", "value": "b", "api": B}
    splitter = TrafficSplitter(
        "iris", apis={A: 100, "iris-b": 0}, shadow={}, rules=[rule]
    )
    assert splitter.apis == {"iris-a": 100, "iris-b": 0}
    assert splitter.rules == (Rule(header="x-variant", value="b", api="iris-b"),)


def test_it_is_found_at_the_endpoint_that_it_was_given() -> None:
    splitter = TrafficSplitter(
        "iris", apis={A: 100}, networking={"endpoint": "/v2/iris"}
    )
    assert splitter.endpoint == "/v2/iris"


def test_its_apis_are_those_that_serve_and_those_that_get_copies() -> None:
    splitter = TrafficSplitter("iris", apis={A: 50, B: 50}, shadow={"iris-c": 10})
    assert splitter.names() == ["iris-a", "iris-b", "iris-c"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"apis": {}}, "`TrafficSplitter`: the weights in apis must add up to 100, "),
        ({"apis": {"a": 50, "b": 49}}, "must add up to 100, not 99"),
        ({"apis": {"a": 101, "b": -1}}, "`TrafficSplitter.apis.a` must be at most 100"),
        ({"apis": {"a": 101, "b": -1}}, "`TrafficSplitter.apis.b` must be at least 0"),
        ({"apis": {"A": 100}}, "`TrafficSplitter.apis.A` must be at most 42 lower"),
        (
            {"apis": {A: 60, "iris-a": 40}},
            "must name each API once, but has 'iris-a' 2",
        ),
        ({"apis": ["iris-a"]}, "`TrafficSplitter.apis` must be a dict"),
        ({"apis": {"iris": 100}}, "it cannot have the name of its API 'iris'"),
        ({"apis": {f"a{n}": n // 16 * 100 for n in range(17)}}, "it needs 17 APIs"),
        ({"shadow": {"iris-a": 10}}, "'iris-a' is in apis and in shadow"),
        ({"shadow": {"c": 101}}, "`TrafficSplitter.shadow.c` must be at most 100"),
        ({"sticky": {}}, "`Sticky` must have either a cookie or a header"),
        ({"networking": {"cors": {}}}, "networking.cors is for its APIs to have"),
        ({"wieghts": {}}, "`TrafficSplitter` has no field `wieghts`"),
    ],
)
def test_what_is_wrong_is_said(fields: dict[str, object], message: str) -> None:
    assert message in refusal(**fields)


def test_a_rule_leads_to_one_of_the_apis() -> None:
    rule = Rule(header="x-variant", value="b", api="iris-b")
    assert "a rule leads to 'iris-b', which is none of its apis; did you mean" in (
        refusal(rules=[rule])
    )


def test_two_rules_for_the_same_requests_are_refused() -> None:
    rules = [Rule(header=name, value="b", api="iris-a") for name in ("x-v", "X-V")]
    assert "2 rules are for x-v: b; only one can count" in refusal(rules=rules)


def test_more_rules_than_a_route_has_are_refused() -> None:
    rules = [Rule(header="x-v", value=str(n), api="iris-a") for n in range(15)]
    TrafficSplitter("iris", apis={"iris-a": 100}, rules=rules)
    by_cookie = refusal(rules=rules, sticky=Sticky(cookie="variant"))
    assert "it needs 17 rules, and a route has at most 16" in by_cookie


@pytest.mark.parametrize(
    ("model", "fields", "message"),
    [
        (Rule, {"header": "x v"}, "`Rule.header` must be letters, digits and"),
        (Rule, {"value": " b"}, "`Rule.value` must be visible ASCII"),
        (Rule, {"value": ""}, "`Rule.value` must be visible ASCII"),
        (Rule, {"value": "b\r\nx: y"}, "`Rule.value` must be visible ASCII"),
        (Sticky, {"cookie": "a=b"}, "`Sticky.cookie` must be letters"),
        (Sticky, {"cookie": "a", "header": "b"}, "either a cookie or a header"),
        (Sticky, {"header": "b", "lifetime": 60}, "lifetime needs a cookie"),
        (
            Sticky,
            {"cookie": "a", "lifetime": 0},
            "`Sticky.lifetime` must be at least 1",
        ),
    ],
)
def test_wrong_parts_are_refused(
    model: type[Value], fields: dict[str, object], message: str
) -> None:
    given = {"header": "x-variant", "value": "b", "api": "iris-b"}
    with pytest.raises(InvalidSpecError) as caught:
        model(**fields if model is Sticky else given | fields)
    assert message in str(caught.value)


def test_it_takes_its_name_first_and_nothing_else() -> None:
    with pytest.raises(InvalidSpecError, match="one value without a name, its name"):
        TrafficSplitter("iris", name="other", apis={"iris-a": 100})
