from fake_cluster import FakeCluster
from platform_on_cluster import (
    add_all,
    add_api,
    add_gateway,
    add_gateway_api,
    add_keda,
)

from cortex_sdk.kubernetes.platform.overview import info
from cortex_sdk.kubernetes.platform.site import Site


def test_a_ready_cluster_in_rows(cluster: FakeCluster, site: Site) -> None:
    add_all(cluster)
    add_api(cluster, "iris", "shop")
    add_api(cluster, "iris", "default")

    assert info(site).as_rows() == {
        "target": "prod",
        "status": "ready",
        "kubernetes": "1.36.3",
        "gateway api": "1.6.1",
        "envoy gateway": "1.9.0",
        "keda": "2.20.2",
        "gateway": "http://203.0.113.7",
        "apis": "2 in default, shop",
        "splitters": "none",
    }


def test_an_empty_cluster_in_rows(cluster: FakeCluster, site: Site) -> None:
    rows = info(site).as_rows()

    assert rows["status"] == "Gateway API is missing; KEDA is missing"
    assert {rows[name] for name in ("gateway api", "keda", "gateway", "apis")} == {
        "none"
    }


def test_what_is_not_as_it_should_be_is_told(cluster: FakeCluster, site: Site) -> None:
    add_all(cluster)
    add_gateway_api(cluster, stack="")
    add_keda(cluster, available="False")
    add_gateway(cluster, addresses=[], programmed="False", message="No addresses")

    rows = info(site).as_rows()

    assert rows["gateway api"] == "1.6.1, somebody else's"
    assert rows["keda"] == "2.20.2, metrics not available: no endpoints"
    assert rows["gateway"] == "no address yet (No addresses)"


def test_the_rows_line_up_as_text(cluster: FakeCluster, site: Site) -> None:
    add_all(cluster)

    assert "gateway        http://203.0.113.7\n" in str(info(site))


def test_all_of_it_as_plain_values(cluster: FakeCluster, site: Site) -> None:
    add_all(cluster)
    add_keda(cluster, "2.21.0", stack="")
    add_api(cluster, "iris", "shop")

    assert info(site).as_dict() == {
        "target": "prod",
        "ready": True,
        "missing": [],
        "changed": False,
        "kubernetes": "1.36.3",
        "gateway_api": {"version": "1.6.1", "ours": True},
        "envoy_gateway": {"version": "1.9.0", "ours": True},
        "keda": {"version": "2.21.0", "ours": False},
        "gateway": {
            "class": "cortex",
            "urls": ["http://203.0.113.7"],
            "programmed": True,
            "reason": "",
        },
        "apis": [{"name": "iris", "namespace": "shop"}],
        "splitters": [],
        "namespaces": ["shop"],
    }


def test_what_is_not_there_is_null(cluster: FakeCluster, site: Site) -> None:
    values = info(site).as_dict()

    assert (values["ready"], values["keda"], values["gateway"]) == (False, None, None)
