from dataclasses import replace

import pytest
from fake_cluster import FakeCluster
from platform_on_cluster import (
    Clockwork,
    FakeEngine,
    add_all,
    add_gateway,
    add_gateway_api,
    add_keda,
)

from cortex_sdk.errors import (
    DeployError,
    InvalidSpecError,
    TargetError,
    UnsupportedError,
)
from cortex_sdk.kubernetes.platform.choosing import Choice
from cortex_sdk.kubernetes.platform.installing import arguments, up
from cortex_sdk.kubernetes.platform.reading import Reader
from cortex_sdk.kubernetes.platform.settings import Platform
from cortex_sdk.kubernetes.platform.site import Site

_NO_ADDRESS = "No addresses have been assigned to the Gateway"


def _silent(_: str) -> None:
    pass


def _arguments(site: Site, **chosen: bool) -> dict[str, str | None]:
    parts = dict.fromkeys(("gateway_api", "envoy_gateway", "keda", "gateway"), False)
    choice = Choice(**(parts | chosen), notes=())
    args = arguments(choice, site, Reader(site.downloads, _silent))
    return {
        "gateway_api": args.gateway_api,
        "envoy_gateway": args.envoy_gateway,
        "keda": args.keda,
        "gateway": args.gateway and args.gateway.service,
    }


def test_an_empty_cluster_is_made_ready(
    cluster: FakeCluster, site: Site, engine: FakeEngine
) -> None:
    engine.then = lambda: add_all(cluster)
    said: list[str] = []

    result = up(site, said.append, Clockwork().clock)

    assert engine.did == ["up"]
    assert engine.stacks == {site.stack}
    assert said == ["looking at the cluster", "making things"]
    assert (result.missing, result.target, result.changed) == ((), "prod", True)


def test_what_is_left_alone_is_said_before_anything_is_made(
    cluster: FakeCluster, site: Site, engine: FakeEngine
) -> None:
    add_keda(cluster, "2.21.0", stack="")
    engine.then = lambda: add_gateway_api(cluster)
    said: list[str] = []

    up(site, said.append, Clockwork().clock)

    assert said == [
        "looking at the cluster",
        "KEDA 2.21.0 is there and left alone",
        "making things",
    ]


def test_only_what_is_ours_is_read(site: Site) -> None:
    assert _arguments(site, keda=True) == {
        "gateway_api": None,
        "envoy_gateway": None,
        "keda": "apiVersion: v1\nkind: Namespace\nmetadata: {name: keda}\n",
        "gateway": None,
    }


def test_settings_reach_the_gateway(site: Site) -> None:
    site = replace(site, settings=Platform(service="NodePort"))

    assert _arguments(site, gateway=True)["gateway"] == "NodePort"


def test_a_name_that_is_taken_stops_it_before_anything_is_made(
    cluster: FakeCluster, site: Site, engine: FakeEngine
) -> None:
    cluster.add("v1", "Namespace", "cortex-system")

    with pytest.raises(UnsupportedError, match="already Namespace cortex-system"):
        up(site, _silent)

    assert engine.did == []


def test_a_missing_right_stops_it_before_anything_is_made(
    cluster: FakeCluster, site: Site, engine: FakeEngine
) -> None:
    cluster.denied = {"namespaces"}

    with pytest.raises(TargetError, match=r"may not make .*: Namespace;"):
        up(site, _silent)

    assert engine.did == []


def test_a_file_that_is_no_manifest_stops_it_before_anything_is_made(
    site: Site, engine: FakeEngine
) -> None:
    with open(str(site.settings.keda), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write("<html></html>")

    with pytest.raises(InvalidSpecError, match="has a document that is no Kubernetes"):
        up(site, _silent)

    assert engine.did == []


def test_it_waits_until_the_gateway_serves(
    cluster: FakeCluster, site: Site, engine: FakeEngine
) -> None:
    def make() -> None:
        add_all(cluster)
        add_gateway(cluster, programmed="False", message="Envoy replicas unavailable")

    engine.then = make
    time = Clockwork(then=lambda: add_gateway(cluster))
    said: list[str] = []

    result = up(site, said.append, time.clock)

    assert "waiting for the gateway: Envoy replicas unavailable" in said
    assert result.missing == ()
    assert time.time > 0


def test_a_gateway_that_never_serves_is_a_failure_with_its_reason(
    cluster: FakeCluster, site: Site, engine: FakeEngine
) -> None:
    def make() -> None:
        add_all(cluster)
        add_gateway(cluster, programmed="False", message="Envoy replicas unavailable")

    engine.then = make

    with pytest.raises(DeployError, match="does not come up: Envoy replicas unavail"):
        up(site, _silent, Clockwork().clock)


def test_without_a_load_balancer_it_says_what_to_choose(
    cluster: FakeCluster, site: Site, engine: FakeEngine
) -> None:
    def make() -> None:
        add_all(cluster)
        add_gateway(cluster, addresses=[], programmed="False", message=_NO_ADDRESS)

    engine.then = make
    said: list[str] = []

    result = up(site, said.append, Clockwork().clock)

    assert 'say service = "NodePort" or "ClusterIP"' in said[-1]
    assert result.found.gateway is not None
    assert result.found.gateway.urls == ()
