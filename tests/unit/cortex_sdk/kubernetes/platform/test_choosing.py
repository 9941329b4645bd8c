import pytest
from fake_cluster import FakeCluster
from platform_on_cluster import (
    OURS,
    add_all,
    add_envoy_gateway,
    add_gateway,
    add_gateway_api,
    add_keda,
)

from cortex_sdk.errors import UnsupportedError
from cortex_sdk.kubernetes.platform.choosing import Choice, choose
from cortex_sdk.kubernetes.platform.found import look
from cortex_stacks.args import GatewayRef

_ALL = Choice(gateway_api=True, envoy_gateway=True, keda=True, gateway=True, notes=())


def _choose(cluster: FakeCluster, ref: GatewayRef | None = None) -> Choice:
    ref = ref or GatewayRef()
    return choose(look(cluster.access, ref), ref, OURS)


def test_an_empty_cluster_gets_all(cluster: FakeCluster) -> None:
    assert _choose(cluster) == _ALL


def test_what_our_own_stack_made_stays_ours(cluster: FakeCluster) -> None:
    add_all(cluster)

    assert _choose(cluster) == _ALL


def test_our_own_parts_may_be_old_they_are_upgraded(cluster: FakeCluster) -> None:
    add_all(cluster)
    add_keda(cluster, "2.10.0")

    assert _choose(cluster) == _ALL


def test_what_somebody_else_made_is_left_alone_and_named(cluster: FakeCluster) -> None:
    add_gateway_api(cluster, "v1.5.1", stack="")
    add_envoy_gateway(cluster, "v1.8.0", stack="another")
    add_keda(cluster, "2.21.0", stack="")

    assert _choose(cluster) == Choice(
        gateway_api=False,
        envoy_gateway=False,
        keda=False,
        gateway=True,
        notes=(
            "Gateway API 1.5.1 is there and left alone",
            "Envoy Gateway 1.8.0 is there and left alone",
            "KEDA 2.21.0 is there and left alone",
        ),
    )


def test_what_somebody_else_made_and_is_too_old_is_refused(
    cluster: FakeCluster,
) -> None:
    add_gateway_api(cluster, "v0.8.0", stack="")
    add_keda(cluster, "2.10.0", stack="")

    with pytest.raises(UnsupportedError) as caught:
        _choose(cluster)

    assert str(caught.value).startswith(
        "Gateway API is 0.8.0 and must be 1.2 or newer;"
        " KEDA is 2.10.0 and must be 2.20 or newer: upgrade"
    )


def test_kubernetes_that_is_too_old_is_refused(cluster: FakeCluster) -> None:
    cluster.version = "1.30.0"

    with pytest.raises(UnsupportedError, match=r"Kubernetes is 1\.30\.0 and must"):
        _choose(cluster)


def test_a_gateway_of_the_users_own_needs_no_envoy_gateway(
    cluster: FakeCluster,
) -> None:
    add_gateway_api(cluster, stack="")
    add_gateway(cluster, name="main", namespace="infra")

    choice = _choose(cluster, GatewayRef(name="main", namespace="infra"))

    assert (choice.envoy_gateway, choice.gateway, choice.keda) == (False, False, True)
    assert choice.notes[-1] == "APIs are attached to Gateway infra/main"


def test_a_gateway_of_the_users_own_must_be_there(cluster: FakeCluster) -> None:
    with pytest.raises(UnsupportedError, match="no Gateway main in namespace infra"):
        _choose(cluster, GatewayRef(name="main", namespace="infra"))
