import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from fake_cluster import FakeCluster
from fakes import Run
from platform_on_cluster import OURS, FakeEngine, add_all, add_api

from cortex_sdk import _targets
from cortex_sdk.cli import console
from cortex_sdk.kubernetes.platform.settings import Platform
from cortex_sdk.kubernetes.platform.site import Site
from cortex_stacks.args import Cluster, GatewayRef


@dataclass
class OnCluster:
    """A target on a stand-in cluster."""

    site_of: Callable[[], Site]
    name: str = "prod"
    sites: list[Site] = field(default_factory=list)

    def site(self) -> Site:
        return self.site_of()


@pytest.fixture
def cluster() -> FakeCluster:
    """A cluster that has the platform, whatever the engine does."""
    found = FakeCluster()
    add_all(found)
    return found


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(stacks={OURS})


@pytest.fixture(autouse=True)
def target(
    cluster: FakeCluster,
    engine: FakeEngine,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> OnCluster:
    """What the command line finds under every name but "local"."""
    folder = tmp_path_factory.mktemp("sources")
    source = folder / "part.yaml"
    source.write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n")
    path = str(source)
    site = Site(
        target="prod",
        cluster=Cluster(),
        access=cluster.access,
        engine=engine,
        settings=Platform(gateway_api=path, envoy_gateway=path, keda=path),
        gateway=GatewayRef(),
        downloads=folder,
        stack=OURS,
    )
    found = OnCluster(lambda: site)
    monkeypatch.setattr(_targets, "target_of", lambda _: found)
    return found


def test_up_says_what_it_does_and_shows_what_there_is(
    cortex: Run, engine: FakeEngine
) -> None:
    result = cortex("cluster", "up", "--target", "prod")

    assert result.code == 0
    assert result.err.splitlines() == [
        "prod: looking at the cluster",
        "prod: making things",
        "prod: ready for APIs",
    ]
    assert "gateway         http://203.0.113.7" in result.out.splitlines()
    assert engine.did == ["up"]


def test_info_is_a_table(cortex: Run, cluster: FakeCluster) -> None:
    add_api(cluster, "iris", "shop")

    result = cortex("cluster", "info", "--target", "prod")

    assert result.out.splitlines() == [
        "target          prod",
        "status          ready",
        "kubernetes      1.36.3",
        "gateway api     1.6.1",
        "envoy gateway   1.9.0",
        "keda            2.20.2",
        "gateway         http://203.0.113.7",
        "apis            1 in shop",
        "splitters       none",
    ]


def test_info_is_json_for_programs(cortex: Run) -> None:
    result = cortex("cluster", "info", "--target", "prod", "-o", "json")

    assert json.loads(result.out)["gateway"]["urls"] == ["http://203.0.113.7"]


def test_down_asks_unless_told(
    cortex: Run, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(console, "can_ask", lambda: True)
    monkeypatch.setattr(console, "ask", lambda text: bool(asked.append(text)))

    result = cortex("cluster", "down", "--target", "prod")

    assert (result.code, engine.did) == (1, [])
    assert asked == ["Take gateway, autoscaler and their CRDs off prod?"]
    assert "nothing was changed" in result.err


def test_down_needs_yes_where_nobody_can_be_asked(
    cortex: Run, engine: FakeEngine
) -> None:
    result = cortex("cluster", "down", "--target", "prod")

    assert (result.code, engine.did) == (2, [])
    assert "--yes" in result.err


def test_down_with_yes_takes_it_away(cortex: Run, engine: FakeEngine) -> None:
    result = cortex("cluster", "down", "--target", "prod", "--yes", "-o", "json")

    assert json.loads(result.out) == {"target": "prod", "removed": True}
    assert engine.did == ["destroy"]


def test_down_refuses_what_is_in_use_unless_forced(
    cortex: Run, cluster: FakeCluster, engine: FakeEngine
) -> None:
    add_api(cluster, "iris", "shop")

    refused = cortex("cluster", "down", "--target", "prod", "--yes")
    forced = cortex("cluster", "down", "--target", "prod", "--yes", "--force")

    assert (refused.code, forced.code) == (1, 0)
    assert "in use by API iris (namespace shop)" in refused.err
    assert engine.did == ["destroy"]


def test_a_target_without_a_cluster_is_refused_by_name(
    cortex: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dataclass
    class Local:
        name: str = "local"

    monkeypatch.setattr(_targets, "target_of", lambda _: Local())

    result = cortex("cluster", "up")

    assert result.code == 1
    assert 'the target "local" is no cluster' in result.err
