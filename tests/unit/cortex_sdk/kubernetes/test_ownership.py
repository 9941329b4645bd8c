from pathlib import Path
from typing import Any

import pytest
from fake_cluster import FakeCluster
from unit.cortex_sdk.kubernetes.test_arguments import made

from cortex_sdk import Kubernetes, UnsupportedError
from cortex_sdk.kubernetes import ownership
from cortex_sdk.kubernetes.opened import Opened
from cortex_sdk.kubernetes.ownership import refuse_foreign, refuse_taken_path
from cortex_stacks.labels import labels

_ROUTE = ("gateway.networking.k8s.io/v1", "HTTPRoute")


@pytest.fixture
def cluster() -> FakeCluster:
    fake = FakeCluster()
    fake.know(*_ROUTE, "httproutes", namespaced=True)
    return fake


def opened(cluster: FakeCluster) -> Opened:
    nothing: Any = None
    return Opened(Kubernetes(), nothing, cluster.access)


def route(cluster: FakeCluster, name: str, path: str, **spec: Any) -> None:
    matches = [{"path": {"type": "PathPrefix", "value": path}}]
    parents = [{"name": "cortex", "namespace": "cortex-system"}]
    cluster.add(
        *_ROUTE,
        name,
        "default",
        labels=labels(name, "api", "s"),
        spec={"rules": [{"matches": matches}], "parentRefs": parents, **spec},
    )


def test_objects_of_somebody_else_are_all_named(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    args = made(tmp_path)
    cluster.add("v1", "Service", "echo", "default")
    cluster.add("apps/v1", "Deployment", "echo", "default", labels={"a": "b"})
    wanted = [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "echo"}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "echo"}},
    ]
    there = ownership.existing(opened(cluster), wanted)

    with pytest.raises(UnsupportedError, match="already Service echo, Deployment echo"):
        refuse_foreign(there, args)


def test_objects_of_the_same_stack_are_ours(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    args = made(tmp_path)
    ours = labels("echo", "api", args.stack)
    cluster.add("v1", "Service", "echo", "default", labels=ours)
    wanted = [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "echo"}}]

    refuse_foreign(ownership.existing(opened(cluster), wanted), args)


def test_a_path_that_leads_elsewhere_is_refused(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    route(cluster, "other", "/echo")

    with pytest.raises(UnsupportedError, match="/echo belongs to 'other'"):
        refuse_taken_path(opened(cluster), made(tmp_path))


def test_ones_own_path_another_and_that_of_other_hosts_are_free(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    route(cluster, "echo", "/echo")
    route(cluster, "other", "/other")
    route(cluster, "hosted", "/echo", hostnames=["other.example.com"])
    target = Kubernetes(hostnames=["api.example.com"])

    refuse_taken_path(opened(cluster), made(tmp_path, target))
