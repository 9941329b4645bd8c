"""What the golden files show is what a real API server takes, and gives back."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import golden_files
import pytest
import yaml
from e2e.cluster.cluster import Cluster

NAMESPACE = "golden"


@pytest.fixture(scope="module")
def knowing(cluster: Cluster, platform_manifests: dict[str, Path]) -> Iterator[Cluster]:
    """A cluster that knows the kinds of the platform; nothing of it has to run."""
    kinds = missing_kinds(cluster, platform_manifests)
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": kinds})
    if kinds:
        cluster.kubectl("create", "-f", "-", stdin=text)
        established = ("--for=condition=Established", "--timeout=60s", "-f", "-")
        cluster.kubectl("wait", *established, stdin=text)
    cluster.kubectl("create", "namespace", NAMESPACE)
    yield cluster
    cluster.kubectl("delete", "namespace", NAMESPACE)
    if kinds:
        cluster.kubectl("delete", "-f", "-", stdin=text)


def missing_kinds(cluster: Cluster, manifests: dict[str, Path]) -> list[dict[str, Any]]:
    """Definitions of kinds that the cluster lacks.

    Those of the Gateway API come first: Envoy Gateway brings a copy of its own.
    """
    there = cluster.kubectl("get", "crd", "-o=name").split()
    known = {name.partition("/")[2] for name in there}
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(manifests, key=lambda each: each != "gateway-api"):
        for each in yaml.safe_load_all(manifests[name].read_text()):
            if each and each["kind"] == "CustomResourceDefinition":
                found.setdefault(each["metadata"]["name"], each)
    return [each for name, each in found.items() if name not in known]


def applied(cluster: Cluster, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The objects as the API server would store them; it stores nothing."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    strict = ("--server-side", "--dry-run=server", "--validate=strict", "-o=json")
    stored = json.loads(cluster.kubectl("apply", *strict, "-f", "-", stdin=text))
    items: list[dict[str, Any]] = stored["items"]
    return items


def lost(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Where a value of ours is another one in the cluster, or not there."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        names = (
            (f"{path}.{key}", value, theirs.get(key)) for key, value in ours.items()
        )
        return [each for name, a, b in names for each in lost(a, b, name)]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [each for n, (a, b) in pairs for each in lost(a, b, f"{path}[{n}]")]
    return [] if ours == theirs else [f"{path}: {ours!r} became {theirs!r}"]


@pytest.mark.parametrize("case", golden_files.CASES)
def test_the_api_server_takes_every_object_as_it_is(
    case: str, knowing: Cluster
) -> None:
    args, _ = golden_files.read(case)
    made = list(golden_files.resources(replace(args, namespace=NAMESPACE)).values())

    stored = applied(knowing, made)

    assert lost(made, stored) == []
