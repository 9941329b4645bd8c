import pytest
from stacks_cases import IRIS, iris

from cortex_stacks.api.routing import longest, route, traffic, traffic_policy


@pytest.mark.parametrize(("timeout", "text"), [(600.0, "605s"), (0.01, "6s")])
def test_the_gateway_waits_longer_than_a_replica(timeout: float, text: str) -> None:
    assert longest(timeout) == text


def test_another_gateway_gets_no_policy_of_envoy_gateway() -> None:
    assert traffic_policy(IRIS) is None


def test_only_what_is_idempotent_is_sent_again_when_a_replica_has_seen_it() -> None:
    once, again = (traffic(1.0, each)["retry"]["retryOn"] for each in (False, True))

    assert "reset" not in once["triggers"]
    assert "reset" in again["triggers"]


def test_a_gateway_that_cannot_set_response_headers_is_not_asked_to() -> None:
    features = frozenset({"HTTPRouteResponseHeaderModification"})

    can, cannot = route(iris(features=features)), route(IRIS)

    assert "ResponseHeaderModifier" in str(can)
    assert "ResponseHeaderModifier" not in str(cannot)
