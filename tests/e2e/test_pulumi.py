"""Pulumi's command line, its plugin and the cluster work together."""

import pulumi
import pulumi_kubernetes
from e2e.cluster.cluster import Cluster
from pulumi import automation


def greeting() -> None:
    """A program of one object."""
    provider = pulumi_kubernetes.Provider("cluster")
    pulumi_kubernetes.core.v1.ConfigMap(
        "greeting",
        metadata={"name": "greeting", "namespace": "default"},
        data={"words": "hello"},
        opts=pulumi.ResourceOptions(provider=provider),
    )


def test_a_stack_puts_an_object_on_the_cluster_and_takes_it_away(
    cluster: Cluster, pulumi_env: dict[str, str]
) -> None:
    stack = automation.create_stack("trial", project_name="e2e", program=greeting)
    stack.up()
    words = ("get", "configmap", "greeting", "-o=jsonpath={.data.words}")
    assert cluster.kubectl(*words) == "hello"
    stack.destroy(remove=True)
    assert cluster.kubectl("get", "configmap", "greeting", "--ignore-not-found") == ""
