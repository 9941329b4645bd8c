import pytest
from fake_cluster import FakeCluster

from cortex_sdk.kubernetes.cluster.connection import NotThereError


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def test_gives_one_object(cluster: FakeCluster) -> None:
    cluster.add("apps/v1", "Deployment", "iris", "shop", spec={"replicas": 2})

    found = cluster.access.get("apps/v1", "Deployment", "iris", "shop")

    assert found is not None
    assert found["spec"] == {"replicas": 2}


@pytest.mark.parametrize("kind", ["Deployment", "Spaceship"])
def test_an_object_that_is_not_there_is_none(cluster: FakeCluster, kind: str) -> None:
    assert cluster.access.get("apps/v1", kind, "iris", "shop") is None


def test_a_group_that_is_not_there_has_no_objects(cluster: FakeCluster) -> None:
    access = cluster.access

    assert access.get("keda.sh/v1alpha1", "ScaledObject", "iris", "shop") is None
    assert access.list("keda.sh/v1alpha1", "ScaledObject") == []
    assert access.metadata("keda.sh/v1alpha1", "ScaledObject") == []


def test_lists_objects_of_all_namespaces_by_label(cluster: FakeCluster) -> None:
    cluster.add("apps/v1", "Deployment", "a", "one", labels={"x": "1"})
    cluster.add("apps/v1", "Deployment", "b", "two", labels={"x": "1"})
    cluster.add("apps/v1", "Deployment", "c", "two", labels={"x": "2"})

    found = cluster.access.list("apps/v1", "Deployment", selector="x=1")

    assert [each["metadata"]["name"] for each in found] == ["a", "b"]
    assert {(each["apiVersion"], each["kind"]) for each in found} == {
        ("apps/v1", "Deployment")
    }


def test_lists_objects_of_one_namespace(cluster: FakeCluster) -> None:
    cluster.add("apps/v1", "Deployment", "a", "one")
    cluster.add("apps/v1", "Deployment", "b", "two")

    found = cluster.access.metadata("apps/v1", "Deployment", "two")

    assert found == [{"name": "b", "namespace": "two"}]


def test_a_kind_without_namespaces_is_found_whatever_namespace_is_named(
    cluster: FakeCluster,
) -> None:
    assert cluster.access.get("v1", "Namespace", "kube-system", "shop")


def test_a_kind_that_comes_later_is_seen(cluster: FakeCluster) -> None:
    access = cluster.access
    assert access.list("keda.sh/v1alpha1", "ScaledObject") == []

    cluster.know("keda.sh/v1alpha1", "ScaledObject", "scaledobjects", namespaced=True)
    cluster.add("keda.sh/v1alpha1", "ScaledObject", "iris", "shop")

    assert len(access.list("keda.sh/v1alpha1", "ScaledObject")) == 1


def test_a_kind_that_was_seen_is_asked_for_once(cluster: FakeCluster) -> None:
    access = cluster.access

    access.get("apps/v1", "Deployment", "a", "b")
    access.get("apps/v1", "Deployment", "a", "b")

    assert cluster.requests.count(("get", "/apis/apps/v1")) == 1


def test_makes_an_object(cluster: FakeCluster) -> None:
    metadata = {"name": "web", "namespace": "shop"}

    cluster.access.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata})

    assert cluster.has("v1", "Service", "web", "shop")


def test_makes_no_object_of_a_kind_that_is_not_there(cluster: FakeCluster) -> None:
    manifest = {"apiVersion": "x.org/v1", "kind": "X", "metadata": {"name": "x"}}

    with pytest.raises(NotThereError, match=r"does not know X of x\.org/v1"):
        cluster.access.create(manifest)


def test_deletes_an_object_and_minds_none_that_is_gone(cluster: FakeCluster) -> None:
    cluster.add("v1", "Service", "web", "shop")
    access = cluster.access

    access.delete("v1", "Service", "web", "shop")
    access.delete("v1", "Service", "web", "shop")
    access.delete("x.org/v1", "X", "web", "shop")

    assert not cluster.has("v1", "Service", "web", "shop")


def test_knows_what_the_user_may_not_do(cluster: FakeCluster) -> None:
    cluster.denied = {"deployments"}
    access = cluster.access

    assert not access.may("create", "apps/v1", "Deployment", "shop")
    assert access.may("create", "v1", "Service", "shop")
    assert access.may("create", "x.org/v1", "X")


def test_tells_version_and_identity_of_the_cluster(cluster: FakeCluster) -> None:
    assert cluster.access.version == "1.36.3"
    assert cluster.access.uid == "0123456789abcdef"
