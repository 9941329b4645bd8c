"""The test cluster as a target of `config.toml`."""

import json
from pathlib import Path

from e2e import manifests
from e2e.cluster.cluster import Cluster


def table(cluster: Cluster, rendered: dict[str, Path]) -> str:
    """The table of a target `kubernetes` whose pods and platform need no internet."""
    host = cluster.layout.packages.split("/")[2].partition(":")[0]
    fields = {
        "type": "kubernetes",
        "kubeconfig": str(cluster.kubeconfig),
        "index_url": cluster.layout.packages,
        "pip_options": [f"--trusted-host={host}"],
    }
    platform = {
        "gateway_api": str(rendered[manifests.GATEWAY_API]),
        "envoy_gateway": str(rendered[manifests.ENVOY_GATEWAY]),
        "keda": str(rendered[manifests.KEDA]),
        "service": "ClusterIP",
        "replicas": 1,
    }
    lines = ["[targets.kubernetes]", *_lines(fields)]
    return "\n".join([*lines, "[targets.kubernetes.platform]", *_lines(platform), ""])


def _lines(values: dict[str, object]) -> list[str]:
    return [f"{name} = {json.dumps(value)}" for name, value in values.items()]
