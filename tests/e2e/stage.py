"""A target on the test cluster, ready for APIs, for tests of what users do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from e2e.cluster.cluster import Cluster
from e2e.plugin import Plugin

from cortex_sdk import Kubernetes
from cortex_sdk.kubernetes import platform
from cortex_sdk.kubernetes.platform.settings import Platform


@contextmanager
def prepared(
    cluster: Cluster,
    toolchain: dict[str, Path],
    provider: Plugin,
    manifests: dict[str, Path],
    home: Path,
) -> Iterator[Platform]:
    """The platform on the cluster, and this process as a user who has Pulumi.

    Yields:
        What the `platform` of a target has to be.
    """
    folders = [toolchain[name].parent for name in ("pulumi", "pulumi-language-python")]
    settings = Platform(
        gateway_api=str(manifests["gateway-api.yaml"]),
        envoy_gateway=str(manifests["envoy-gateway.yaml"]),
        keda=str(manifests["keda.yaml"]),
        service="ClusterIP",
        replicas=1,
    )
    with pytest.MonkeyPatch.context() as patch:
        path = os.pathsep.join([*map(str, folders), os.environ["PATH"]])
        patch.setenv("PATH", path)
        patch.setenv("PULUMI_HOME", str(provider.home))
        patch.setenv("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", "true")
        patch.setenv("CORTEX_HOME", str(home))
        patch.setenv("KUBECONFIG", str(cluster.kubeconfig))
        target = Kubernetes(kubeconfig=str(cluster.kubeconfig), platform=settings)
        platform.up(target, print)
        yield settings


def index(cluster: Cluster) -> dict[str, Any]:
    """Where pods of the cluster find packages, as fields of a target."""
    address = cluster.layout.packages
    host = address.split("://")[1].split(":")[0]
    return {"index_url": address, "pip_options": (f"--trusted-host={host}",)}
