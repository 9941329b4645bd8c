from typing import Any

import pytest
from fake_cluster import FakeCluster
from platform_on_cluster import (
    CRD,
    OURS,
    ROUTING,
    add_all,
    add_envoy_gateway,
    add_gateway,
    add_gateway_api,
    add_keda,
)

from cortex_sdk.kubernetes.platform.found import Found, Part, look
from cortex_stacks.args import GatewayRef


def _look(cluster: FakeCluster) -> Found:
    return look(cluster.access, GatewayRef())


def test_an_empty_cluster_has_only_kubernetes(cluster: FakeCluster) -> None:
    assert _look(cluster) == Found(
        kubernetes="1.36.3",
        gateway_api=None,
        envoy_gateway=None,
        keda=None,
        metrics=None,
        gateway=None,
    )


def test_parts_tell_version_and_maker(cluster: FakeCluster) -> None:
    add_gateway_api(cluster, "v1.4.0", stack="")
    add_envoy_gateway(cluster, "v1.8.2", stack=OURS)
    add_keda(cluster, "2.21.0", stack="")

    found = _look(cluster)

    assert found.gateway_api == Part("1.4.0", "")
    assert found.envoy_gateway == Part("1.8.2", OURS)
    assert found.keda == Part("2.21.0", "")


def test_a_part_without_a_version_is_there(cluster: FakeCluster) -> None:
    cluster.add(*CRD, "envoyproxies.gateway.envoyproxy.io")
    cluster.add(*CRD, "scaledobjects.keda.sh")

    found = _look(cluster)

    assert (found.envoy_gateway, found.keda) == (Part("", ""), Part("", ""))


@pytest.mark.parametrize(
    ("available", "told"), [("True", ""), ("False", "no endpoints")]
)
def test_metrics_tell_why_they_are_not_to_be_had(
    cluster: FakeCluster, available: str, told: str
) -> None:
    add_keda(cluster, available=available)

    assert _look(cluster).metrics == told


def test_a_gateway_tells_what_its_class_supports(cluster: FakeCluster) -> None:
    add_all(cluster)
    add_gateway(cluster, features=["A", "B"], controller="x.org/c")

    gateway = _look(cluster).gateway

    assert gateway is not None
    assert (gateway.controller, gateway.features) == ("x.org/c", {"A", "B"})


def test_features_are_read_as_older_versions_write_them(cluster: FakeCluster) -> None:
    add_all(cluster)
    cluster.add(
        ROUTING,
        "GatewayClass",
        "cortex",
        spec={"controllerName": "c"},
        status={"supportedFeatures": ["A"]},
    )

    gateway = _look(cluster).gateway

    assert gateway is not None
    assert gateway.features == {"A"}


def test_a_gateway_without_a_class_has_no_controller(cluster: FakeCluster) -> None:
    add_gateway_api(cluster)
    cluster.add(
        ROUTING,
        "Gateway",
        "cortex",
        "cortex-system",
        spec={"gatewayClassName": "gone", "listeners": []},
    )

    gateway = _look(cluster).gateway

    assert gateway is not None
    assert (gateway.controller, gateway.is_programmed) == ("", False)
    assert gateway.reason == "nothing is known yet"


@pytest.mark.parametrize(
    ("listeners", "addresses", "urls"),
    [
        ([("HTTP", 80)], ["203.0.113.7"], ["http://203.0.113.7"]),
        ([("HTTP", 8080)], ["lb.example"], ["http://lb.example:8080"]),
        ([("HTTPS", 443)], ["2001:db8::1"], ["https://[2001:db8::1]"]),
        ([("HTTP", 80), ("HTTPS", 443)], ["a"], ["http://a", "https://a"]),
        ([("TCP", 5000)], ["a"], []),
        ([("HTTP", 80)], [], []),
    ],
)
def test_addresses_are_urls(
    cluster: FakeCluster,
    listeners: list[tuple[str, int]],
    addresses: list[str],
    urls: list[str],
) -> None:
    add_all(cluster)
    given: list[dict[str, Any]] = [{"protocol": p, "port": n} for p, n in listeners]
    add_gateway(cluster, listeners=given, addresses=addresses)

    gateway = _look(cluster).gateway

    assert gateway is not None
    assert list(gateway.urls) == urls


@pytest.mark.parametrize(
    ("service", "url"),
    [("NodePort", "http://203.0.113.7:30080"), ("LoadBalancer", "http://203.0.113.7")],
)
def test_where_nodes_lead_to_it_the_port_is_theirs(
    cluster: FakeCluster, service: str, url: str
) -> None:
    add_all(cluster)
    owning = "gateway.envoyproxy.io/owning-gateway"
    cluster.add(
        "v1",
        "Service",
        "envoy-cortex",
        "envoy-gateway-system",
        labels={f"{owning}-name": "cortex", f"{owning}-namespace": "cortex-system"},
        spec={"type": service, "ports": [{"port": 80, "nodePort": 30080}]},
    )

    gateway = _look(cluster).gateway

    assert gateway is not None
    assert gateway.urls == (url,)


def test_a_gateway_that_does_not_serve_says_why(cluster: FakeCluster) -> None:
    add_all(cluster)
    add_gateway(cluster, programmed="False", message="Envoy replicas unavailable")

    gateway = _look(cluster).gateway

    assert gateway is not None
    assert (gateway.is_programmed, gateway.reason) == (
        False,
        "Envoy replicas unavailable",
    )
