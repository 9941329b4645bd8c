"""Kubernetes objects as the stand-in looks at them: names, annotations, shape."""

import base64
import hashlib
from typing import Any

from e2e.provider.wire import UNKNOWN, Object

AUTONAMED = "pulumi.com/autonamed"
_BUILT_IN = {
    f"{group}.k8s.io"
    for group in (
        "admissionregistration",
        "apiextensions",
        "apiregistration",
        "authentication",
        "authorization",
        "certificates",
        "coordination",
        "discovery",
        "events",
        "flowcontrol.apiserver",
        "networking",
        "node",
        "rbac.authorization",
        "resource",
        "scheduling",
        "storage",
    )
}
_READ_ONLY = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)


def kind_of(token: str) -> tuple[str, str]:
    """API version and kind of a type token, `kubernetes:apps/v1:Deployment`.

    Raises:
        ValueError: It is a kind of the provider's own, such as a Helm release.
    """
    _, module, kind = token.split(":")
    version = module.removeprefix("core/")
    foreign = module.startswith(("helm.sh/", "kustomize", "yaml"))
    if foreign or kind.endswith(("Patch", "List")):
        raise ValueError(
            f"The stand-in for the Kubernetes provider has no {token}: "
            "it takes plain objects of the API server only."
        )
    return version, kind


def typed(item: Object, token: str) -> Object:
    """The object with the API version and the kind of its type token."""
    version, kind = kind_of(token)
    metadata = item.get("metadata") or {}
    return {"apiVersion": version, "kind": kind, **item, "metadata": metadata}


def is_built_in(item: Object) -> bool:
    """Whether the kind is one of Kubernetes itself."""
    group = item["apiVersion"].rpartition("/")[0]
    return "." not in group or group in _BUILT_IN


def name_of(item: Object) -> str:
    """The name of an object."""
    return str(item["metadata"]["name"])


def namespace_of(item: Object) -> str:
    """The namespace of an object, empty when it has none."""
    return str(nested(item, "metadata", "namespace") or "")


def identity(item: Object) -> str:
    """The identity of an object within its kind: `namespace/name`, or `name`."""
    namespace = namespace_of(item)
    return f"{namespace}/{name_of(item)}" if namespace else name_of(item)


def identified(item: Object, identity: str) -> Object:
    """The object with the name and the namespace of an identity."""
    namespace, _, name = identity.rpartition("/")
    return placed(renamed(item, name), namespace)


def importable(live: Object) -> Object:
    """What of a live object a program could have asked for."""
    return {k: v for k, v in without_read_only(live).items() if k != "status"}


def annotation(item: Object, key: str) -> str:
    """An annotation's value, empty when it is not there or not known yet."""
    annotations = nested(item, "metadata", "annotations")
    value = annotations.get(key) if isinstance(annotations, dict) else None
    return value if isinstance(value, str) else ""


def is_set(item: Object, key: str) -> bool:
    """Whether an annotation is "true"."""
    return annotation(item, key) == "true"


def nested(item: Any, *path: str | int) -> Any:
    """What lies at a path of an object, None when nothing does."""
    for step in path:
        if isinstance(step, int):
            item = item[step] if isinstance(item, list) and step < len(item) else None
        else:
            item = item.get(step) if isinstance(item, dict) else None
    return item


def autoname(prefix: str, seed: bytes) -> str:
    """A name of its own for an object; the same seed gives the same name."""
    digest = hashlib.sha256(seed + prefix.encode()).hexdigest()
    return f"{prefix}-{digest[:8]}"


def is_named(item: Object) -> bool:
    """Whether the object has a name, be it one that is not known yet."""
    metadata = item.get("metadata")
    return metadata is UNKNOWN or bool(nested(metadata, "name"))


def named(item: Object, name: str) -> Object:
    """The object under a name that the provider chose."""
    metadata = dict(item.get("metadata") or {})
    annotations = dict(metadata.get("annotations") or {}) | {AUTONAMED: "true"}
    return item | {"metadata": metadata | {"name": name, "annotations": annotations}}


def renamed(item: Object, name: str) -> Object:
    """The object under another name."""
    return item | {"metadata": item["metadata"] | {"name": name}}


def placed(item: Object, namespace: str) -> Object:
    """The object in a namespace; an empty one takes it out of any."""
    metadata = {k: v for k, v in item["metadata"].items() if k != "namespace"}
    place = {"namespace": namespace} if namespace else {}
    return item | {"metadata": metadata | place}


def prune(live: Any, shape: Any) -> Any:
    """What of a live value has a counterpart in another one of the same shape."""
    match live, shape:
        case dict(), dict():
            return {k: prune(v, shape[k]) for k, v in live.items() if k in shape}
        case list(), list():
            pairs = zip(live, shape, strict=False)
            return [prune(one, other) for one, other in pairs] + live[len(shape) :]
    return live


def encoded(item: Object) -> Object:
    """The object as it is stored: a Secret's `stringData` is in its `data`."""
    texts = item.get("stringData")
    if item.get("kind") != "Secret" or not isinstance(texts, dict):
        return item
    rest = {key: value for key, value in item.items() if key != "stringData"}
    data = {key: _base64(value) for key, value in texts.items()}
    return rest | {"data": dict(item.get("data") or {}) | data}


def _base64(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    return base64.b64encode(text.encode()).decode()


def without_read_only(item: Object) -> Object:
    """The object without what only the API server writes into its metadata."""
    metadata = item.get("metadata")
    if not isinstance(metadata, dict):
        return item
    kept = {key: value for key, value in metadata.items() if key not in _READ_ONLY}
    return item | {"metadata": kept}


def dashed(value: Any) -> Any:
    """Keys such as `x_kubernetes_list_type` as the API server writes them."""
    return _renamed(value, "x_kubernetes_", "_", "-")


def underscored(value: Any) -> Any:
    """Keys such as `x-kubernetes-list-type` as the SDKs write them."""
    return _renamed(value, "x-kubernetes-", "-", "_")


def _renamed(value: Any, prefix: str, old: str, new: str) -> Any:
    if isinstance(value, list):
        return [_renamed(item, prefix, old, new) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key.replace(old, new) if key.startswith(prefix) else key: _renamed(
            item, prefix, old, new
        )
        for key, item in value.items()
    }
