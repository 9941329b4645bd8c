"""The settings that this target cannot honour yet, by name."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psutil

from cortex_sdk.errors import UnsupportedError

if TYPE_CHECKING:
    from cortex_sdk.declaration.sync_api import SyncAPI

_NEVER = (
    "compute.gpu",
    "compute.inf",
)
_NEVER_GROUPS = ("update_strategy.", "autoscaling.")
_ONE_REPLICA = tuple(f"autoscaling.{kind}_replicas" for kind in ("min", "max", "init"))


def check(api: "SyncAPI") -> None:
    """Raise an UnsupportedError that names all settings in the way, if there are any.

    Only what was set to something other than its default can be in the way.
    """
    refused = [
        f"{name}={value!r}{reason}"
        for name, value in api.changed().items()
        if (reason := _reason(name, value)) is not None
    ]
    if refused:
        which = "these settings" if len(refused) > 1 else "this setting"
        msg = f"local does not support {which} yet: {', '.join(refused)}"
        raise UnsupportedError(msg)


def _reason(name: str, value: Any) -> str | None:  # noqa: ANN401  # any setting
    """Why a setting is refused, "" where its name says it, None where it is not."""
    if name in _ALLOWED:
        return _ALLOWED[name](value)
    return "" if name in _NEVER or name.startswith(_NEVER_GROUPS) else None


def _one(value: int) -> str | None:
    return None if value == 1 else " (one replica runs)"


def _cpu(value: float) -> str | None:
    most = os.cpu_count() or 1
    return None if value <= most else f" (this machine has {most} cores)"


def _mem(value: int) -> str | None:
    most = psutil.virtual_memory().total
    return None if value <= most else f" (this machine has {most // 2**20}Mi)"


_ALLOWED: dict[str, Callable[[Any], str | None]] = {
    **dict.fromkeys(_ONE_REPLICA, _one),
    "autoscaling.max_replica_concurrency": lambda _: None,
    "compute.cpu": _cpu,
    "compute.mem": _mem,
}
