"""From the text of a release manifest to objects that one stack can own."""

import copy
from collections.abc import Iterator
from typing import Any

import yaml

from cortex_stacks.labels import STACK, owner

Manifest = dict[str, Any]

_GATEWAY_API = ("gateway.networking.k8s.io", "gateway.networking.x-k8s.io")
_WAIT_FOR = "pulumi.com/waitFor"
_AWAITED = {
    "CustomResourceDefinition": "condition=Established",
    "APIService": "condition=Available",
}
# libyaml's where there is one: the pure one takes half a minute for three megabytes.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def objects(text: str) -> list[Manifest]:
    """All objects of a manifest, lists taken apart; raises ValueError if none is."""
    try:
        documents = list(yaml.load_all(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        msg = f"is not YAML: {error}"
        raise ValueError(msg) from error
    found = [item for document in documents if document for item in _items(document)]
    if not found:
        msg = "has no Kubernetes objects in it"
        raise ValueError(msg)
    return found


def _items(document: Any) -> Iterator[Manifest]:  # noqa: ANN401  # whatever a file holds
    if not isinstance(document, dict) or not {"apiVersion", "kind"} <= set(document):
        msg = "has a document that is no Kubernetes object"
        raise ValueError(msg)
    if document["kind"] == "List":
        for item in document.get("items") or []:
            yield from _items(item)
    else:
        yield document


def is_gateway_api(manifest: Manifest) -> bool:
    """Whether an object is part of the Gateway API itself.

    Envoy Gateway's release brings a copy of it in the experimental channel, which
    must not fight with the one that the cluster has.
    """
    if manifest["kind"] == "CustomResourceDefinition":
        return manifest["spec"]["group"] in _GATEWAY_API
    return str(manifest["metadata"]["name"]).endswith(_GATEWAY_API)


def owned(manifest: Manifest, stack: str) -> Manifest:
    """The object with a label of ours, awaited, and without what controllers write."""
    result = copy.deepcopy(manifest)
    result.pop("status", None)
    metadata = result["metadata"]
    metadata.pop("creationTimestamp", None)
    metadata["labels"] = {**(metadata.get("labels") or {}), STACK: owner(stack)}
    if condition := _AWAITED.get(result["kind"]):
        annotations = metadata.get("annotations") or {}
        metadata["annotations"] = {**annotations, _WAIT_FOR: condition}
    if result["kind"] == "Job":
        # It would be gone by the next look, and so seem to be deleted by somebody.
        result["spec"].pop("ttlSecondsAfterFinished", None)
    return result
