from pathlib import Path

import pytest
from fake_cluster import FakeCluster
from platform_on_cluster import OURS, FakeEngine

from cortex_sdk.kubernetes.platform.settings import Platform
from cortex_sdk.kubernetes.platform.site import Site
from cortex_stacks.args import Cluster, GatewayRef

_NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n"


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def settings(tmp_path: Path) -> Platform:
    """Sources that are files, each with a namespace in it."""
    files = {}
    for field_name in ("gateway_api", "envoy_gateway", "keda"):
        path = tmp_path / f"{field_name}.yaml"
        path.write_text(_NAMESPACE % field_name.replace("_", "-"))
        files[field_name] = str(path)
    return Platform(**files)


@pytest.fixture
def site(
    cluster: FakeCluster, engine: FakeEngine, settings: Platform, tmp_path: Path
) -> Site:
    return Site(
        target="prod",
        cluster=Cluster(),
        access=cluster.access,
        engine=engine,
        settings=settings,
        gateway=GatewayRef(),
        downloads=tmp_path / "downloads",
        stack=OURS,
    )
