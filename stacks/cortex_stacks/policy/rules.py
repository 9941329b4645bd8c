"""The rules, on plain Kubernetes objects. Pure; each gives sentences for people."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Object = dict[str, Any]
Rule = Callable[[Object], Iterator[str]]

_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[^@]+:([^/:@]+)")

_REACHED_FROM_OUTSIDE = {"LoadBalancer", "NodePort"}
_KEPT_INSIDE = {
    "cloud.google.com/load-balancer-type": "internal",
    "networking.gke.io/load-balancer-type": "internal",
    "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
}
"""Annotations by which the large clouds give a balancer a private address."""


def violations(objects: Iterable[Object], *, public: bool = False) -> tuple[str, ...]:
    """What breaks a rule, one sentence each; () where nothing does.

    Args:
        objects: Kubernetes objects, as in YAML.
        public: Whether it was said that something may be reached from outside the
            cluster.
    """
    rules: list[Rule] = [_images_are_pinned, _limits_are_set]
    if not public:
        rules.append(_nothing_is_public)
    found = [said for each in objects for rule in rules for said in rule(each)]
    return tuple(dict.fromkeys(found))


def _images_are_pinned(manifest: Object) -> Iterator[str]:
    """A restart must not bring another program than the deploy did.

    A tag other than `latest` will do: with `python:3.12-slim` the packages are pinned
    by the requirements, and fixes of the system below them are wanted. Who wants the
    same bytes names a digest.
    """
    for container in _containers(manifest):
        image = container.get("image", "")
        tag = _TAG.fullmatch(image)
        if not _DIGEST.fullmatch(image) and (not tag or tag[1] == "latest"):
            yield (
                f"{_name(manifest)} would run the image {image!r}, which may be another"
                " one tomorrow; give it a tag other than `latest`, or a digest"
            )


def _limits_are_set(manifest: Object) -> Iterator[str]:
    """What a container asks for is what it gets at most, where that protects others.

    Memory cannot be taken back, so a request without a limit lets a leak end other
    pods of the node. CPU can: a limit would only slow down what nobody else wants.
    """
    for container in _containers(manifest):
        resources = container.get("resources", {})
        requests, limits = resources.get("requests", {}), resources.get("limits", {})
        what = f"{container['name']!r} of {_name(manifest)}"
        if "cpu" not in requests:
            yield f"the container {what} asks for no CPU; set `compute.cpu`"
        if "memory" in requests and "memory" not in limits:
            yield f"the container {what} has no memory limit; set `compute.mem`"


def _nothing_is_public(manifest: Object) -> Iterator[str]:
    """The internet reaches an API only where somebody said so."""
    spec = manifest.get("spec") or {}
    if manifest.get("kind") != "Service" or not isinstance(spec, dict):
        return
    kind = spec.get("type", "ClusterIP")
    if kind in _REACHED_FROM_OUTSIDE and not _is_kept_inside(manifest):
        yield (
            f"{_name(manifest)} would be reachable from outside of the cluster"
            f" (type {kind}), which nobody asked for"
        )
    if spec.get("externalIPs"):
        yield f"{_name(manifest)} would take over addresses from outside (externalIPs)"


def _is_kept_inside(manifest: Object) -> bool:
    notes = manifest.get("metadata", {}).get("annotations") or {}
    return any(
        str(notes.get(key, "")).lower() == value for key, value in _KEPT_INSIDE.items()
    )


def _containers(manifest: Object) -> Iterator[Object]:
    """All containers of an object that makes pods."""
    spec = manifest.get("spec") or {}
    pod = spec.get("template", {}).get("spec", {}) if isinstance(spec, dict) else {}
    for group in ("initContainers", "containers"):
        yield from pod.get(group) or ()


def _name(manifest: Object) -> str:
    metadata = manifest.get("metadata", {})
    return f"{manifest.get('kind', 'object')} {metadata.get('name', '?')!r}"
