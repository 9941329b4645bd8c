import pytest
from fake_cluster import FakeCluster
from platform_on_cluster import (
    SCALING,
    Clockwork,
    FakeEngine,
    add_all,
    add_api,
    add_keda,
)

from cortex_sdk.errors import TargetError, UnsupportedError
from cortex_sdk.kubernetes.platform.removing import down
from cortex_sdk.kubernetes.platform.site import Site


def _silent(_: str) -> None:
    pass


@pytest.fixture
def _made(cluster: FakeCluster, site: Site, engine: FakeEngine) -> None:
    """The platform, with its state."""
    add_all(cluster)
    engine.stacks.add(site.stack)


@pytest.mark.usefixtures("_made")
def test_what_nobody_uses_is_taken_away(site: Site, engine: FakeEngine) -> None:
    assert down(site, _silent)

    assert (engine.did, engine.stacks) == (["destroy"], set())


def test_where_nothing_is_nothing_is_done(site: Site, engine: FakeEngine) -> None:
    assert not down(site, _silent)

    assert engine.did == []


def test_a_platform_of_somebody_else_is_not_there_for_us(
    cluster: FakeCluster, site: Site
) -> None:
    add_keda(cluster, stack="")

    assert not down(site, _silent)


def test_a_platform_without_its_state_is_told_how_to_get_rid_of(
    cluster: FakeCluster, site: Site, engine: FakeEngine
) -> None:
    add_all(cluster)

    with pytest.raises(UnsupportedError, match="`cortex cluster up` first to take it"):
        down(site, _silent)

    assert engine.did == []


@pytest.mark.usefixtures("_made")
def test_who_uses_it_is_named(
    cluster: FakeCluster, site: Site, engine: FakeEngine
) -> None:
    add_api(cluster, "iris", "shop")
    cluster.add(SCALING, "ScaledObject", "worker", "jobs")

    with pytest.raises(UnsupportedError) as caught:
        down(site, _silent)

    assert str(caught.value).startswith(
        "the platform is in use by API iris (namespace shop),"
        " ScaledObject worker (namespace jobs); delete them first, or give --force"
    )
    assert engine.did == []


@pytest.mark.usefixtures("_made")
def test_force_lets_keda_let_go_first(
    cluster: FakeCluster, site: Site, engine: FakeEngine
) -> None:
    add_api(cluster, "iris", "shop")
    cluster.add(SCALING, "ScaledObject", "iris", "shop")

    down(site, _silent, force=True, clock=Clockwork().clock)

    assert not cluster.has(SCALING, "ScaledObject", "iris", "shop")
    assert engine.did == ["destroy"]


def test_force_leaves_what_somebody_elses_keda_scales(
    cluster: FakeCluster, site: Site, engine: FakeEngine
) -> None:
    add_all(cluster)
    add_keda(cluster, stack="")
    engine.stacks.add(site.stack)
    cluster.add(SCALING, "ScaledObject", "worker", "jobs")

    down(site, _silent, force=True, clock=Clockwork().clock)

    assert cluster.has(SCALING, "ScaledObject", "worker", "jobs")


@pytest.mark.usefixtures("_made")
def test_what_keda_does_not_let_go_of_is_named(
    cluster: FakeCluster, site: Site, engine: FakeEngine
) -> None:
    def stays() -> None:
        cluster.add(SCALING, "ScaledObject", "worker", "jobs")

    stays()
    access_delete = site.access.delete

    def delete(*place: str) -> None:
        access_delete(*place)
        stays()

    site.access.delete = delete  # type: ignore[method-assign]  # a finalizer

    with pytest.raises(TargetError, match=r"ScaledObject worker \(namespace jobs\)"):
        down(site, _silent, force=True, clock=Clockwork().clock)

    assert engine.did == []
