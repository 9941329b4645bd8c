"""The settings that this target cannot honour, by name."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cortex_sdk.errors import UnsupportedError

if TYPE_CHECKING:
    from cortex_sdk.declaration.sync_api import SyncAPI
    from cortex_sdk.kubernetes.target import Kubernetes


def check(api: "SyncAPI", target: "Kubernetes") -> None:
    """Raise an UnsupportedError that names all settings in the way, if there are any.

    Only what was set to something other than its default can be in the way.
    """
    changed = api.changed()
    refused = [
        f"{name}={changed[name]!r} ({reason})"
        for name, why in _REFUSED.items()
        if name in changed and (reason := why(changed[name]))
    ]
    if target.image is None:
        refused += [
            f"models {place!r} (a path of this machine, which pods do not have: put it"
            " into the project or a store, or into an `image`)"
            for place in _absolute(api)
        ]
    if refused:
        which = "these settings" if len(refused) > 1 else "this setting"
        msg = f"{target.name} does not support {which}: {', '.join(refused)}"
        raise UnsupportedError(msg)


def _absolute(api: "SyncAPI") -> list[str]:
    from cortex_sdk.declaration.built_in import BuiltIn  # noqa: PLC0415  # a cycle

    models = api.models
    if isinstance(api.predictor, BuiltIn):
        models = api.predictor.models(api.models)
    if models is None:
        return []
    places = [models.path, models.dir, *(each.path for each in models.paths or ())]
    return [place for place in places if place and place.startswith("/")]


def _zero(replicas: int) -> str:
    if replicas:
        return ""
    return (
        "nothing in front of the API can hold the request that would start the first"
        " replica; the fewest is 1"
    )


def _first(_: int | None) -> str:
    return "an API begins with min_replicas; after that `cortex scale` moves the bounds"


_REFUSED: dict[str, Callable[[Any], str]] = {
    "autoscaling.min_replicas": _zero,
    "autoscaling.init_replicas": _first,
}
