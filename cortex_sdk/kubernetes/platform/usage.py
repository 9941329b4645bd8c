"""Who uses the platform of a cluster."""

from dataclasses import dataclass

from cortex_sdk.kubernetes.cluster.access import Access, Json
from cortex_sdk.kubernetes.platform.found import Found
from cortex_stacks.labels import COMPONENT, NAME, PART_OF

_ROUTING = "gateway.networking.k8s.io/v1"
_SCALING = "keda.sh/v1alpha1"
_OF_US = f"{PART_OF}=cortex"
_OF_OTHERS = f"{PART_OF}!=cortex"


@dataclass(frozen=True, slots=True, order=True)
class Named:
    """An object by namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """For sentences."""
        return f"{self.name} (namespace {self.namespace})"


def apis(access: Access) -> list[Named]:
    """All APIs, in all namespaces."""
    return _named(access, "apps/v1", "Deployment", f"{_OF_US},{COMPONENT}=api")


def splitters(access: Access) -> list[Named]:
    """All traffic splitters, in all namespaces."""
    return _named(access, _ROUTING, "HTTPRoute", f"{_OF_US},{COMPONENT}=splitter")


def others(access: Access, found: Found, stack: str) -> list[str]:
    """What is not ours and would go with the parts that are."""
    kinds = []
    if found.gateway_api and found.gateway_api.is_of(stack):
        kinds += [(_ROUTING, "Gateway"), (_ROUTING, "HTTPRoute")]
    if found.keda and found.keda.is_of(stack):
        kinds += [(_SCALING, "ScaledObject"), (_SCALING, "ScaledJob")]
    return [
        f"{kind} {each}"
        for version, kind in kinds
        for each in _named(access, version, kind, _OF_OTHERS, label="")
    ]


def scaled(access: Access) -> list[tuple[str, Named]]:
    """All objects that KEDA must let go of, and their kind."""
    return [
        (kind, each)
        for kind in ("ScaledObject", "ScaledJob")
        for each in _named(access, _SCALING, kind, "", label="")
    ]


def unscale(access: Access) -> None:
    """Delete all of them: they never go once KEDA is gone."""
    for kind, each in scaled(access):
        access.delete(_SCALING, kind, each.name, each.namespace)


def _named(
    access: Access, version: str, kind: str, selector: str, label: str = NAME
) -> list[Named]:
    """Objects by the name that `label` has, or else by their own; each once."""
    found = access.metadata(version, kind, selector=selector)
    return sorted({_of(each, label) for each in found})


def _of(metadata: Json, label: str) -> Named:
    labels = metadata.get("labels") or {}
    return Named(metadata["namespace"], labels.get(label) or metadata["name"])
