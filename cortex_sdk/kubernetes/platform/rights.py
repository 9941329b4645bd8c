"""Whether all of a set of objects can be made, before the first of them is."""

from collections.abc import Iterable

from cortex_sdk.errors import TargetError, UnsupportedError
from cortex_sdk.kubernetes.cluster.access import Access, Json
from cortex_stacks.labels import STACK, owner

_SHARED = frozenset({"APIService", "CustomResourceDefinition", "Namespace"})
"""Kinds whose names are few and everybody's."""


def refuse_taken(access: Access, manifests: Iterable[Json], stack: str) -> None:
    """Raise UnsupportedError if the name of an object is somebody else's already."""
    wanted = [each for each in manifests if each["kind"] in _SHARED]
    taken = []
    for version, kind in dict.fromkeys(
        (each["apiVersion"], each["kind"]) for each in wanted
    ):
        others = {
            metadata["name"]
            for metadata in access.metadata(version, kind)
            if (metadata.get("labels") or {}).get(STACK) != owner(stack)
        }
        names = {each["metadata"]["name"] for each in wanted if each["kind"] == kind}
        taken += [f"{kind} {name}" for name in sorted(names & others)]
    if taken:
        msg = (
            f"on the cluster there is already {', '.join(taken)}, which the platform"
            " would have to take over: remove it, or finish installing what it is part"
            " of; that is then left alone"
        )
        raise UnsupportedError(msg)


def refuse_unallowed(access: Access, manifests: Iterable[Json]) -> None:
    """Raise TargetError that names all kinds that the user may not make."""
    kinds = dict.fromkeys(
        (each["apiVersion"], each["kind"], each["metadata"].get("namespace"))
        for each in manifests
    )
    denied = [
        f"{kind} in namespace {namespace}" if namespace else kind
        for version, kind, namespace in kinds
        if not access.may("create", version, kind, namespace)
    ]
    if denied:
        msg = (
            "your user may not make what the platform needs on this cluster:"
            f" {', '.join(denied)}; ask an administrator of the cluster to run"
            " `cortex cluster up`"
        )
        raise TargetError(msg)
