from typing import Any

import pytest

from cortex_stacks.labels import STACK
from cortex_stacks.platform.args import GatewayArgs
from cortex_stacks.platform.gateway import resources


def _by_kind(args: GatewayArgs) -> dict[str, dict[str, Any]]:
    return {each["kind"]: each for each in resources(args, "s")}


def test_the_gateway_takes_routes_of_all_namespaces_over_http() -> None:
    gateway = _by_kind(GatewayArgs())["Gateway"]

    assert (gateway["metadata"]["name"], gateway["metadata"]["namespace"]) == (
        "cortex",
        "cortex-system",
    )
    assert gateway["spec"] == {
        "gatewayClassName": "cortex",
        "listeners": [
            {
                "name": "http",
                "protocol": "HTTP",
                "port": 80,
                "allowedRoutes": {"namespaces": {"from": "All"}},
            }
        ],
    }


def test_a_secret_makes_it_speak_https_as_well() -> None:
    spec = _by_kind(GatewayArgs(tls_secret="cert"))["Gateway"]["spec"]

    http, https = spec["listeners"]
    assert http["port"] == 80
    assert https == {
        "name": "https",
        "protocol": "HTTPS",
        "port": 443,
        "tls": {"mode": "Terminate", "certificateRefs": [{"name": "cert"}]},
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }


def test_the_class_finds_the_settings_of_envoy() -> None:
    objects = _by_kind(GatewayArgs())
    reference = objects["GatewayClass"]["spec"]["parametersRef"]
    proxy = objects["EnvoyProxy"]

    assert reference["kind"] == proxy["kind"]
    assert reference["name"] == proxy["metadata"]["name"]
    assert reference["namespace"] == proxy["metadata"]["namespace"]
    assert proxy["apiVersion"].startswith(reference["group"] + "/")


@pytest.mark.parametrize("service", ["LoadBalancer", "NodePort", "ClusterIP"])
def test_the_service_is_of_the_type_that_was_said(service: Any) -> None:
    args = GatewayArgs(service=service, annotations={"lb": "internal"})

    kubernetes = _by_kind(args)["EnvoyProxy"]["spec"]["provider"]["kubernetes"]

    assert kubernetes["envoyService"] == {
        "type": service,
        "annotations": {"lb": "internal"},
    }


def test_one_of_several_envoys_may_be_evicted_at_a_time() -> None:
    two = _by_kind(GatewayArgs(replicas=2))["EnvoyProxy"]["spec"]["provider"]
    one = _by_kind(GatewayArgs(replicas=1))["EnvoyProxy"]["spec"]["provider"]

    assert two["kubernetes"]["envoyPDB"] == {"maxUnavailable": 1}
    assert "envoyPDB" not in one["kubernetes"]


def test_envoys_image_is_left_to_envoy_gateway_unless_said() -> None:
    said = _by_kind(GatewayArgs(image="e:1"))["EnvoyProxy"]["spec"]["provider"]
    unsaid = _by_kind(GatewayArgs())["EnvoyProxy"]["spec"]["provider"]

    assert said["kubernetes"]["envoyDeployment"]["container"] == {"image": "e:1"}
    assert "container" not in unsaid["kubernetes"]["envoyDeployment"]


def test_an_envoy_that_ends_lets_the_longest_request_finish() -> None:
    assert _by_kind(GatewayArgs())["EnvoyProxy"]["spec"]["shutdown"] == {
        "drainTimeout": "600s"
    }


def test_no_default_of_the_gateway_cuts_a_request() -> None:
    timeouts = _by_kind(GatewayArgs())["ClientTrafficPolicy"]["spec"]["timeout"]["http"]

    assert timeouts["requestReceivedTimeout"] == "0s"
    assert timeouts["streamIdleTimeout"] == "0s"


def test_the_policy_is_that_of_the_gateway() -> None:
    objects = _by_kind(GatewayArgs())
    (target,) = objects["ClientTrafficPolicy"]["spec"]["targetRefs"]
    gateway, policy = objects["Gateway"], objects["ClientTrafficPolicy"]

    assert (target["kind"], target["name"]) == ("Gateway", gateway["metadata"]["name"])
    assert policy["metadata"]["namespace"] == gateway["metadata"]["namespace"]


def test_each_object_says_whose_it_is() -> None:
    for each in resources(GatewayArgs(), "my.stack"):
        assert each["metadata"]["labels"][STACK] == "my.stack"
        assert each["metadata"]["labels"]["app.kubernetes.io/component"] == "platform"


def test_whoever_accepts_them_is_waited_for() -> None:
    awaited = {
        each["kind"]
        for each in resources(GatewayArgs(), "s")
        if "pulumi.com/waitFor" in each["metadata"].get("annotations", {})
    }

    assert awaited == {"GatewayClass", "Gateway"}
