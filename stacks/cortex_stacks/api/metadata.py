"""What all objects of an API have in common."""

from typing import Any

from cortex_stacks.args import SyncAPIArgs
from cortex_stacks.labels import labels

Manifest = dict[str, Any]
"""A Kubernetes object, or a part of one, with Kubernetes' own names of fields."""


def metadata(
    args: SyncAPIArgs,
    name: str | None = None,
    more_labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
) -> Manifest:
    """Name (that of the API, unless given), namespace, labels, annotations."""
    common = {
        "name": name or args.name,
        "namespace": args.namespace,
        "labels": labels(args.name, "api", args.stack) | (more_labels or {}),
    }
    return common | ({"annotations": annotations} if annotations else {})
