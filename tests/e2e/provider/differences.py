"""What differs between two forms of an object, path by path, and what replaces it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from e2e.provider.objects import nested
from e2e.provider.wire import UNKNOWN, Object
from pulumi.runtime.proto.provider_pb2 import PropertyDiff

Path = tuple[str | int, ...]
_GONE: Final = object()
_REPLACES: Final = {
    PropertyDiff.ADD: PropertyDiff.ADD_REPLACE,
    PropertyDiff.DELETE: PropertyDiff.DELETE_REPLACE,
    PropertyDiff.UPDATE: PropertyDiff.UPDATE_REPLACE,
}
_NEW: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("apps/v1", "DaemonSet"): ("spec.selector",),
    ("apps/v1", "Deployment"): ("spec.selector",),
    ("apps/v1", "StatefulSet"): (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    ("batch/v1", "Job"): (
        "spec.completions",
        "spec.parallelism",
        "spec.selector",
        "spec.template",
    ),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io/v1", "StorageClass"): ("parameters", "provisioner"),
    ("v1", "PersistentVolumeClaim"): (
        "spec.accessModes",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    ("v1", "Service"): ("spec.clusterIP",),
}
"""What the real provider replaces an object for, besides name and namespace."""


def between(old: Object, new: Object) -> dict[Path, PropertyDiff.Kind.ValueType]:
    """The paths that differ, and whether each was added, deleted or updated."""
    return dict(_walk((), old, new))


def replaced_for(
    item: Object, *, mutable_config_maps: bool, mutable_secrets: bool
) -> tuple[str, ...]:
    """The properties whose change makes a new object necessary."""
    key = (str(item["apiVersion"]), str(item["kind"]))
    fixed = _NEW.get(key, ())
    immutable = item.get("immutable") is True
    if key == ("v1", "Secret"):
        all_of_it = immutable or not mutable_secrets
        fixed = ("type", "data", "stringData") if all_of_it else ("type",)
    if key == ("v1", "ConfigMap") and (immutable or not mutable_config_maps):
        fixed = ("data", "binaryData")
    return ("metadata.name", "metadata.namespace", *fixed)


def replacing(
    kind: PropertyDiff.Kind.ValueType, path: Path, new: Object, fixed: tuple[str, ...]
) -> PropertyDiff.Kind.ValueType:
    """The kind of a difference, when it touches one of the fixed properties."""
    touched = any(_touches(path, tuple(one.split(".")), new) for one in fixed)
    return _REPLACES[kind] if touched else kind


def is_new(kind: PropertyDiff.Kind.ValueType) -> bool:
    """Whether a difference makes a new object necessary."""
    return kind in _REPLACES.values()


def is_ignored(path: Path, ignored: Iterable[str]) -> bool:
    """Whether a path is at or under one of the paths to ignore."""
    text = written(path)
    return any(
        text == one or text.startswith((f"{one}.", f"{one}[")) for one in ignored
    )


def written(path: Path) -> str:
    """A path in the notation of the engine: `spec.ports[0]["a.b/c"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif any(char in step for char in '."[]'):
            escaped = step.replace('"', '\\"')
            text += f'["{escaped}"]'
        else:
            text += f".{step}" if text else step
    return text


def _touches(path: Path, fixed: tuple[str, ...], new: Object) -> bool:
    if path[: len(fixed)] == fixed:
        return True
    return fixed[: len(path)] == path and nested(new, *fixed) is not None


def _walk(
    path: Path, old: Any, new: Any
) -> Iterator[tuple[Path, PropertyDiff.Kind.ValueType]]:
    match old, new:
        case dict(), dict():
            for key in dict.fromkeys([*old, *new]):
                gone, come = old.get(key, _GONE), new.get(key, _GONE)
                yield from _walk((*path, key), gone, come)
        case list(), list():
            for index in range(max(len(old), len(new))):
                gone, come = _at(old, index), _at(new, index)
                yield from _walk((*path, index), gone, come)
        case _ if new is UNKNOWN or not _same(old, new):
            yield path, _kind(old, new)


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else _GONE


def _same(old: Any, new: Any) -> bool:
    """A null asks for nothing, so it is the same as what is not there."""
    if old in (None, _GONE) and new in (None, _GONE):
        return True
    return isinstance(old, bool) == isinstance(new, bool) and bool(old == new)


def _kind(old: Any, new: Any) -> PropertyDiff.Kind.ValueType:
    if old is _GONE:
        return PropertyDiff.ADD
    return PropertyDiff.DELETE if new in (None, _GONE) else PropertyDiff.UPDATE
