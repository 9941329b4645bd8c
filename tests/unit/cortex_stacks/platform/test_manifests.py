from cortex_stacks.platform.args import GatewayArgs, PlatformArgs
from cortex_stacks.platform.manifests import logical_name, phases, resources

_GATEWAY_API = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gateways.gateway.networking.k8s.io, annotations: {channel: standard}}
spec: {group: gateway.networking.k8s.io}
"""
_ENVOY_GATEWAY = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: gateways.gateway.networking.k8s.io
  annotations: {channel: experimental}
spec: {group: gateway.networking.k8s.io}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: envoyproxies.gateway.envoyproxy.io}
spec: {group: gateway.envoyproxy.io}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: envoy-gateway, namespace: envoy-gateway-system}
"""
_KEDA = """
apiVersion: v1
kind: Namespace
metadata: {name: keda}
"""


def test_all_parts_and_the_gateway_are_made() -> None:
    args = PlatformArgs(
        stack="s", gateway_api=_GATEWAY_API, envoy_gateway=_ENVOY_GATEWAY, keda=_KEDA
    )

    assert list(resources(args)) == [
        "Namespace/keda",
        "CustomResourceDefinition/gateways.gateway.networking.k8s.io",
        "CustomResourceDefinition/envoyproxies.gateway.envoyproxy.io",
        "Deployment/envoy-gateway-system/envoy-gateway",
        "Namespace/cortex-system",
        "EnvoyProxy/cortex-system/cortex",
        "GatewayClass/cortex",
        "ClientTrafficPolicy/cortex-system/cortex",
        "Gateway/cortex-system/cortex",
    ]


def test_the_gateway_api_is_that_of_its_own_release() -> None:
    args = PlatformArgs(
        stack="s", gateway_api=_GATEWAY_API, envoy_gateway=_ENVOY_GATEWAY
    )

    crd = resources(args)["CustomResourceDefinition/gateways.gateway.networking.k8s.io"]

    assert crd["metadata"]["annotations"]["channel"] == "standard"


def test_a_gateway_api_that_is_left_alone_is_not_brought_by_envoy_gateway() -> None:
    args = PlatformArgs(stack="s", envoy_gateway=_ENVOY_GATEWAY)

    assert not [name for name in resources(args) if "networking.k8s.io" in name]


def test_without_parts_there_is_the_gateway_alone() -> None:
    assert len(resources(PlatformArgs(stack="s"))) == 5
    assert resources(PlatformArgs(stack="s", gateway=None)) == {}


def test_the_gateway_comes_last_one_object_at_a_time() -> None:
    found = phases(PlatformArgs(stack="s", keda=_KEDA))

    assert [len(phase) for phase in found] == [1] * 6
    assert list(found[-1]) == ["Gateway/cortex-system/cortex"]


def test_names_in_pulumi_tell_namespaces_apart() -> None:
    metadata = {"name": "a"}
    plain = {"kind": "Role", "metadata": metadata}

    assert logical_name(plain) == "Role/a"
    assert logical_name({**plain, "metadata": {**metadata, "namespace": "b"}}) == (
        "Role/b/a"
    )


def test_arguments_travel_as_json() -> None:
    args = PlatformArgs(
        stack="s",
        keda=_KEDA,
        gateway=GatewayArgs(service="NodePort", annotations={"a": "b"}, tls_secret="t"),
    )

    assert PlatformArgs.from_json(args.to_json()) == args


def test_arguments_do_not_show_whole_manifests() -> None:
    assert "Namespace" not in repr(PlatformArgs(stack="s", keda=_KEDA))
