import pytest
from fake_cluster import FakeCluster
from platform_on_cluster import CRD, OURS

from cortex_sdk.errors import TargetError, UnsupportedError
from cortex_sdk.kubernetes.platform.rights import refuse_taken, refuse_unallowed
from cortex_stacks.labels import STACK

_NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "keda"}}
_DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "keda-operator", "namespace": "keda"},
}
_CRD = {
    "apiVersion": CRD[0],
    "kind": CRD[1],
    "metadata": {"name": "scaledobjects.keda.sh"},
}


def test_names_that_are_free_or_ours_may_be_taken(cluster: FakeCluster) -> None:
    cluster.add("v1", "Namespace", "keda", labels={STACK: OURS})

    refuse_taken(cluster.access, [_NAMESPACE, _CRD, _DEPLOYMENT], OURS)


def test_all_names_that_are_somebody_elses_are_told(cluster: FakeCluster) -> None:
    cluster.add("v1", "Namespace", "keda")
    cluster.add(*CRD, "scaledobjects.keda.sh", labels={STACK: "another"})

    with pytest.raises(UnsupportedError) as caught:
        refuse_taken(cluster.access, [_NAMESPACE, _CRD], OURS)

    assert str(caught.value).startswith(
        "on the cluster there is already Namespace keda, CustomResourceDefinition"
        " scaledobjects.keda.sh, which"
    )


def test_who_may_make_all_may_go_on(cluster: FakeCluster) -> None:
    refuse_unallowed(cluster.access, [_NAMESPACE, _CRD, _DEPLOYMENT])


def test_all_that_the_user_may_not_make_is_told(cluster: FakeCluster) -> None:
    cluster.denied = {"customresourcedefinitions", "deployments"}

    with pytest.raises(TargetError) as caught:
        refuse_unallowed(cluster.access, [_NAMESPACE, _CRD, _DEPLOYMENT])

    assert str(caught.value) == (
        "your user may not make what the platform needs on this cluster:"
        " CustomResourceDefinition, Deployment in namespace keda; ask an administrator"
        " of the cluster to run `cortex cluster up`"
    )


def test_each_kind_is_asked_for_once(cluster: FakeCluster) -> None:
    second = {**_DEPLOYMENT, "metadata": {"name": "x", "namespace": "keda"}}

    refuse_unallowed(cluster.access, [_DEPLOYMENT, second])

    assert [method for method, _ in cluster.requests].count("post") == 1
