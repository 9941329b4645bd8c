from typing import Any

import pytest

from cortex_stacks.policy import violations

DIGEST = f"registry.example/iris@sha256:{'a1' * 32}"


def deployment(
    image: str = "python:3.12-slim", *, init: str = "", **resources: dict[str, str]
) -> dict[str, Any]:
    resources = resources or {
        "requests": {"cpu": "200m", "memory": "1Gi"},
        "limits": {"memory": "1Gi"},
    }
    pod: dict[str, Any] = {
        "containers": [{"name": "api", "image": image, "resources": resources}]
    }
    if init:
        first = {"name": "prepare", "image": init, "resources": resources}
        pod["initContainers"] = [first]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "iris"},
        "spec": {"template": {"spec": pod}},
    }


def service(
    kind: str | None = None, note: tuple[str, str] | None = None, **spec: Any
) -> dict[str, Any]:
    if kind:
        spec["type"] = kind
    metadata: dict[str, Any] = {"name": "iris"}
    if note:
        metadata["annotations"] = dict([note])
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize(
    "image",
    ["python:3.12-slim", "registry.example:5000/team/iris:1", DIGEST, f"i:1{DIGEST}"],
)
def test_an_image_with_a_version_or_a_digest_is_pinned(image: str) -> None:
    assert violations([deployment(image)]) == ()


@pytest.mark.parametrize(
    "image",
    ["python", "python:latest", "registry.example:5000/iris", "iris@sha256:12", ""],
)
def test_an_image_that_may_change_overnight_is_named(image: str) -> None:
    [said] = violations([deployment(image)])

    assert said.startswith(f"Deployment 'iris' would run the image {image!r}")


def test_what_runs_before_the_replica_is_looked_at_too() -> None:
    [said] = violations([deployment(init="busybox")])

    assert "'busybox'" in said


def test_memory_that_is_asked_for_has_a_limit() -> None:
    [said] = violations([deployment(requests={"cpu": "1", "memory": "1Gi"})])

    assert said == (
        "the container 'api' of Deployment 'iris' has no memory limit; set"
        " `compute.mem`"
    )


def test_no_limit_is_needed_where_no_memory_is_asked_for() -> None:
    assert violations([deployment(requests={"cpu": "1"})]) == ()


def test_cpu_is_asked_for() -> None:
    [said] = violations([deployment(limits={"memory": "1Gi"})])

    assert "asks for no CPU" in said


@pytest.mark.parametrize("kind", ["LoadBalancer", "NodePort"])
def test_a_way_in_from_outside_is_named_unless_it_was_asked_for(kind: str) -> None:
    [said] = violations([service(kind)])

    assert said.startswith("Service 'iris' would be reachable from outside of the")
    assert f"(type {kind})" in said
    assert violations([service(kind)], public=True) == ()


def test_addresses_of_others_are_not_taken_over() -> None:
    [said] = violations([service(externalIPs=["192.0.2.1"])])

    assert "externalIPs" in said


@pytest.mark.parametrize("kind", [None, "ClusterIP", "ExternalName"])
def test_a_service_within_the_cluster_passes(kind: str | None) -> None:
    assert violations([service(kind)]) == ()


@pytest.mark.parametrize(
    "note",
    [
        ("service.beta.kubernetes.io/aws-load-balancer-scheme", "internal"),
        ("networking.gke.io/load-balancer-type", "Internal"),
        ("service.beta.kubernetes.io/azure-load-balancer-internal", "true"),
    ],
)
def test_a_balancer_with_a_private_address_passes(note: tuple[str, str]) -> None:
    assert violations([service("LoadBalancer", note)]) == ()


def test_a_balancer_that_is_said_to_be_public_does_not_pass() -> None:
    note = ("service.beta.kubernetes.io/aws-load-balancer-scheme", "internet-facing")

    assert len(violations([service("LoadBalancer", note)])) == 1


def test_objects_without_pods_pass() -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {}, "spec": None}

    assert violations([config, binding]) == ()


def test_everything_is_named_and_only_once() -> None:
    twice = [deployment("python"), service("NodePort"), deployment("python")]

    assert len(violations(twice)) == 2
