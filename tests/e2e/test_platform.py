"""The platform on a real cluster: nothing, up, up again, and nothing left behind."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from commands import eventually
from e2e.cluster import starting
from e2e.cluster.cluster import Cluster as RealCluster
from e2e.conftest import give_up
from e2e.toolchain.errors import Unavailable

from cortex_sdk import Kubernetes
from cortex_sdk.errors import UnsupportedError
from cortex_sdk.kubernetes import platform
from cortex_sdk.kubernetes.platform.settings import Platform

pytestmark = pytest.mark.timeout(1800)

_SCALED = """
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: worker, namespace: default}
spec:
  scaleTargetRef: {name: worker}
  triggers:
  - type: cron
    metadata: {timezone: UTC, start: 0 0 * * *, end: 1 0 * * *, desiredReplicas: "2"}
"""
_KINDS = (
    "namespaces",
    "customresourcedefinitions",
    "clusterroles",
    "clusterrolebindings",
    "apiservices",
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
    "validatingadmissionpolicies",
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[RealCluster]:
    """A cluster of its own: others leave their platform on the one that all share."""
    try:
        with starting.cluster() as started:
            yield started
    except Unavailable as reason:
        give_up(reason)


@pytest.fixture(scope="module")
def platform_manifests(cluster: RealCluster) -> dict[str, Path]:
    return starting.load_platform(cluster)


@pytest.fixture
def target(
    cluster: RealCluster,
    platform_manifests: dict[str, Path],
    pulumi_env: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Kubernetes:
    """A target whose platform is made of rendered manifests."""
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path))
    return Kubernetes(
        kubeconfig=str(cluster.kubeconfig),
        platform=Platform(
            gateway_api=str(platform_manifests["gateway-api.yaml"]),
            envoy_gateway=str(platform_manifests["envoy-gateway.yaml"]),
            keda=str(platform_manifests["keda.yaml"]),
            service="ClusterIP",
            replicas=1,
        ),
    )


def test_it_comes_up_once_and_leaves_nothing(
    cluster: RealCluster, target: Kubernetes
) -> None:
    before = _names(cluster)
    with pytest.raises(UnsupportedError, match="Gateway API is missing; KEDA is miss"):
        platform.features(target)

    said: list[str] = []
    first = platform.up(target, said.append)

    assert (first.missing, first.changed) == ((), True)
    assert first.found.metrics == ""
    assert first.found.gateway is not None
    assert first.found.gateway.is_programmed
    (url,) = first.found.gateway.urls
    eventually(lambda: _answers(url), "the gateway answers")
    assert {
        "BackendTrafficPolicy",
        "HPAConfigurableTolerance",
        "HTTPRouteRequestMirror",
        "HTTPRouteRequestPercentageMirror",
        "HTTPRouteRequestTimeout",
    } <= platform.features(target)

    assert not platform.up(target, said.append).changed
    _refuses_while_in_use(cluster, target)

    assert platform.down(target, said.append)
    eventually(lambda: _names(cluster) == before, "nothing is left")
    assert not platform.down(target, said.append)


def test_what_somebody_else_installed_is_left_alone(
    cluster: RealCluster, target: Kubernetes
) -> None:
    starting.install(cluster)
    theirs = _names(cluster)
    said: list[str] = []

    up = platform.up(target, said.append)

    assert {
        "Gateway API 1.6.1 is there and left alone",
        "Envoy Gateway 1.9.0 is there and left alone",
        "KEDA 2.20.2 is there and left alone",
    } <= set(said)
    assert up.missing == ()
    assert platform.down(target, said.append)
    eventually(lambda: _names(cluster) == theirs, "what is theirs is left")


def _answers(url: str) -> bool:
    """Whether the gateway says that there is no such route."""
    return httpx.get(url).status_code == httpx.codes.NOT_FOUND


def _refuses_while_in_use(cluster: RealCluster, target: Kubernetes) -> None:
    cluster.kubectl("apply", "-f", "-", stdin=_SCALED)
    with pytest.raises(UnsupportedError, match=r"ScaledObject worker \(namespace def"):
        platform.down(target, print)
    cluster.kubectl("delete", "scaledobject/worker")


def _names(cluster: RealCluster) -> set[tuple[str, str]]:
    """Everything in the cluster that belongs to no namespace."""
    listed = json.loads(cluster.kubectl("get", ",".join(_KINDS), "-o=json"))
    return {(each["kind"], each["metadata"]["name"]) for each in listed["items"]}


def _crds(cluster: RealCluster) -> set[str]:
    return {name for kind, name in _names(cluster) if kind.startswith("Custom")}
