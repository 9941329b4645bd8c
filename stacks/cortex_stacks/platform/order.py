"""In which order objects come, and in the reverse of which they go."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

Manifest = dict[str, Any]

_OTHERS = 2
_PHASES = {
    "Namespace": 0,
    "CustomResourceDefinition": 1,
    # A Deployment waits for what a Job writes. A Job may complete a webhook.
    "Job": 3,
    "Deployment": 4,
    "Service": 4,  # counts as made only when a pod of its Deployment is ready
    # An API that nobody serves yet makes every discovery of the cluster fail.
    "APIService": 5,
}


def phases(manifests: Iterable[Manifest]) -> list[list[Manifest]]:
    """Groups, each of which needs only those before it."""
    ordered = sorted(manifests, key=_phase)
    return [list(group) for _, group in groupby(ordered, key=_phase)]


def _phase(manifest: Manifest) -> int:
    return _PHASES.get(manifest["kind"], _OTHERS)
