from fake_cluster import FakeCluster
from platform_on_cluster import (
    OURS,
    ROUTING,
    SCALING,
    add_all,
    add_api,
    add_gateway_api,
    add_keda,
)

from cortex_sdk.kubernetes.platform import usage
from cortex_sdk.kubernetes.platform.found import look
from cortex_sdk.kubernetes.platform.usage import Named
from cortex_stacks.args import GatewayRef

_CORTEX = {"app.kubernetes.io/part-of": "cortex"}


def _others(cluster: FakeCluster) -> list[str]:
    return usage.others(cluster.access, look(cluster.access, GatewayRef()), stack=OURS)


def test_apis_are_found_in_all_namespaces(cluster: FakeCluster) -> None:
    add_api(cluster, "iris", "shop")
    add_api(cluster, "iris", "default")
    cluster.add("apps/v1", "Deployment", "web", "shop")

    assert usage.apis(cluster.access) == [
        Named("default", "iris"),
        Named("shop", "iris"),
    ]


def test_a_splitter_is_known_by_its_label(cluster: FakeCluster) -> None:
    add_gateway_api(cluster)
    labels = {**_CORTEX, "app.kubernetes.io/component": "splitter"}
    cluster.add(ROUTING, "HTTPRoute", "x", "shop", labels=labels)
    named = {**labels, "app.kubernetes.io/name": "both"}
    cluster.add(ROUTING, "HTTPRoute", "both-forced", "shop", labels=named)
    cluster.add(ROUTING, "HTTPRoute", "both", "shop", labels=named)

    assert usage.splitters(cluster.access) == [
        Named("shop", "both"),
        Named("shop", "x"),
    ]


def test_a_cluster_without_routes_has_no_splitters(cluster: FakeCluster) -> None:
    assert usage.splitters(cluster.access) == []


def test_others_are_who_would_lose_something(cluster: FakeCluster) -> None:
    add_all(cluster)
    cluster.add(ROUTING, "HTTPRoute", "blog", "web")
    cluster.add(SCALING, "ScaledObject", "worker", "jobs")
    cluster.add(SCALING, "ScaledObject", "iris", "shop", labels=_CORTEX)

    assert _others(cluster) == [
        "HTTPRoute blog (namespace web)",
        "ScaledObject worker (namespace jobs)",
    ]


def test_what_hangs_on_parts_of_others_is_no_concern(cluster: FakeCluster) -> None:
    add_gateway_api(cluster, stack="")
    add_keda(cluster, stack="")
    cluster.add(ROUTING, "HTTPRoute", "blog", "web")
    cluster.add(SCALING, "ScaledObject", "worker", "jobs")

    assert _others(cluster) == []


def test_all_that_is_scaled_can_be_let_go(cluster: FakeCluster) -> None:
    add_keda(cluster)
    cluster.add(SCALING, "ScaledObject", "worker", "jobs")
    cluster.add(SCALING, "ScaledJob", "batch", "jobs")

    usage.unscale(cluster.access)

    assert usage.scaled(cluster.access) == []
