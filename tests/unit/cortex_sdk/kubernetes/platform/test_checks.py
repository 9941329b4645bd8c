import pytest
from fake_cluster import FakeCluster
from platform_on_cluster import add_all, add_gateway, add_gateway_api, add_keda

from cortex_sdk.errors import UnsupportedError
from cortex_sdk.kubernetes.platform.checks import (
    at_least,
    features,
    missing,
    outdated,
    require,
)
from cortex_sdk.kubernetes.platform.found import Found, look
from cortex_stacks.args import GatewayRef

_REF = GatewayRef()


def _look(cluster: FakeCluster) -> Found:
    return look(cluster.access, _REF)


def test_a_whole_platform_lacks_nothing(cluster: FakeCluster) -> None:
    add_all(cluster)

    assert missing(_look(cluster), _REF) == []
    require(_look(cluster), _REF)


def test_all_that_is_missing_is_named_at_once(cluster: FakeCluster) -> None:
    with pytest.raises(UnsupportedError) as caught:
        require(_look(cluster), _REF)

    assert str(caught.value) == (
        "the cluster cannot serve APIs yet: Gateway API is missing; KEDA is missing;"
        " run `cortex cluster up`, which leaves alone what is there, or install it"
        " yourself"
    )


def test_a_missing_gateway_is_named(cluster: FakeCluster) -> None:
    add_gateway_api(cluster)
    add_keda(cluster)

    assert missing(_look(cluster), _REF) == [
        "Gateway cortex in namespace cortex-system is missing"
    ]


def test_what_is_too_old_is_named_with_what_it_must_be(cluster: FakeCluster) -> None:
    add_all(cluster)
    cluster.version = "1.29.4"
    add_gateway_api(cluster, "v1.1.0")
    add_keda(cluster, "2.19.1")

    assert missing(_look(cluster), _REF) == [
        "Kubernetes is 1.29.4 and must be 1.33 or newer",
        "Gateway API is 1.1.0 and must be 1.2 or newer",
        "KEDA is 2.19.1 and must be 2.20 or newer",
    ]


def test_a_gateway_that_ignores_timeouts_is_refused(cluster: FakeCluster) -> None:
    add_all(cluster)
    add_gateway(cluster, features=["HTTPRoutePathRewrite"])

    assert missing(_look(cluster), _REF) == [
        "Gateway cortex in namespace cortex-system does not support timeouts of routes"
    ]


def test_a_gateway_that_lists_no_features_is_taken_as_it_is(
    cluster: FakeCluster,
) -> None:
    add_all(cluster)
    add_gateway(cluster, features=[])

    assert missing(_look(cluster), _REF) == []


def test_a_gateway_without_its_class_is_named(cluster: FakeCluster) -> None:
    add_all(cluster)
    add_gateway(cluster, controller="")

    assert "has a class that is missing, cortex" in missing(_look(cluster), _REF)[0]


def test_metrics_that_do_not_answer_are_named(cluster: FakeCluster) -> None:
    add_all(cluster)
    add_keda(cluster, available="False")

    assert missing(_look(cluster), _REF) == [
        "KEDA's metrics API does not answer (no endpoints)"
    ]


def test_features_are_those_of_the_class_and_of_what_is_known(
    cluster: FakeCluster,
) -> None:
    add_all(cluster)

    assert features(_look(cluster)) == {
        "HTTPRouteRequestTimeout",
        "HTTPRoutePathRewrite",
        "HTTPRouteRequestMirror",
        "HTTPRouteRequestMultipleMirrors",
        "HTTPRouteRequestPercentageMirror",
        "HTTPRouteResponseHeaderModification",
        "BackendTrafficPolicy",
        "HPAConfigurableTolerance",
    }


def test_another_gateway_has_no_policies_of_envoys(cluster: FakeCluster) -> None:
    add_all(cluster)
    add_gateway(cluster, controller="traefik.io/gateway-controller")

    assert "BackendTrafficPolicy" not in features(_look(cluster))


def test_older_kubernetes_takes_no_tolerances(cluster: FakeCluster) -> None:
    cluster.version = "1.34.1"

    assert features(_look(cluster)) == frozenset()


def test_only_what_is_there_can_be_outdated(cluster: FakeCluster) -> None:
    assert outdated(_look(cluster)) == []

    add_keda(cluster, "2.10.0")

    assert outdated(_look(cluster)) == ["KEDA is 2.10.0 and must be 2.20 or newer"]


@pytest.mark.parametrize(
    ("version", "least", "is_enough"),
    [
        ("1.36.3", "1.33", True),
        ("1.33", "1.33", True),
        ("1.9.0", "1.10", False),
        ("1.31.4-gke.7", "1.33", False),
        ("1.36.3+k3s1", "1.33", True),
        ("2.0.0-rc.1", "1.7", True),
        ("main", "1.7", True),
    ],
)
def test_versions_are_compared_by_number(
    version: str, least: str, *, is_enough: bool
) -> None:
    assert at_least(version, least) is is_enough
