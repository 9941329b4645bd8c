"""From plain Kubernetes objects to Pulumi resources of one explicit provider."""

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_kubernetes

from cortex_stacks.args import Cluster

Build = Callable[[pulumi.ResourceOptions], object]


def program(cluster: Cluster, build: Build) -> Callable[[], None]:
    """A Pulumi program that calls `build` with options that name the provider.

    Nothing is made before the program runs: providers and outputs belong to one run.
    """

    def run() -> None:
        provider = pulumi_kubernetes.Provider(
            "cluster",
            kubeconfig=cluster.kubeconfig,
            context=cluster.context,
            enable_server_side_apply=True,
            # What a deploy declares holds, whoever changed the object in between.
            enable_patch_force=True,
            # A rollback takes up again what an earlier revision has left. Objects of
            # others are refused before a program runs.
            upsert_existing_objects=True,
            # Else a change of the API keys would be a new Secret, and until it is
            # there none; releases say themselves that they are immutable.
            enable_secret_mutable=True,
            enable_config_map_mutable=True,
        )
        build(pulumi.ResourceOptions(provider=provider))

    return run


class Object(pulumi.CustomResource):
    """An object of Kubernetes as the API server gave it back."""

    metadata: pulumi.Output[dict[str, Any]]


def register(
    logical_name: str, manifest: dict[str, Any], opts: pulumi.ResourceOptions
) -> Object:
    """Declare one object, given as in YAML, to Pulumi.

    The names of its fields go through as they are: those of Kubernetes, which the
    classes of `pulumi_kubernetes` would have in snake case.
    """
    return Object(_token(manifest), logical_name, manifest, opts)


def _token(manifest: dict[str, Any]) -> str:
    """Pulumi's type of an object, "kubernetes:apps/v1:Deployment"."""
    version, kind = manifest["apiVersion"], manifest["kind"]
    group = version if "/" in version else f"core/{version}"
    return f"kubernetes:{group}:{kind}"
