"""Watching the pods of a new revision come up, and giving up when they cannot."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from cortex_sdk._target import Progress
from cortex_sdk.errors import TargetError
from cortex_sdk.kubernetes.current import deployment, wanted_revision
from cortex_sdk.kubernetes.pods import Trouble, is_ready, pods_of, step_of, trouble_of

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.opened import Opened

_PATIENCE = 30.0
"""Seconds that trouble may take to go by itself, such as a registry that is busy."""


class Rollout:
    """Asked again and again while a deploy goes on; remembers why it gave up."""

    def __init__(
        self,
        opened: "Opened",
        name: str,
        revision: str,
        progress: Progress,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trouble: Trouble | None = None
        self._opened = opened
        self._name = name
        self._revision = revision
        self._progress = progress
        self._clock = clock
        self._since: float | None = None

    def __call__(self) -> str | None:
        """The reason to give up, None to go on."""
        with suppress(TargetError):  # a look that fails is no reason
            return self._look()
        return None

    def _look(self) -> str | None:
        found = deployment(self._opened, self._name)
        if found is None or wanted_revision(found) != self._revision:
            return None
        pods = pods_of(self._opened, self._name, self._revision)
        if step := step_of(pods):
            ready = sum(map(is_ready, pods))
            self._progress(f"{step} ({ready} of {len(pods)} ready)")
        return self._judged(trouble_of(pods) or _denied(found))

    def _judged(self, trouble: Trouble | None) -> str | None:
        if trouble is None:
            self._since = None
            return None
        now = self._clock()
        self._since = now if self._since is None else self._since
        if not trouble.is_final and now - self._since < self._patience(trouble):
            return None
        self.trouble = trouble
        return trouble.reason

    def _patience(self, trouble: Trouble) -> float:
        if trouble.reason.startswith("no node"):
            return self._opened.target.scheduling_timeout
        return _PATIENCE


def _denied(found: dict[str, Any]) -> Trouble | None:
    """Why the cluster makes no pods at all: a quota, or an admission rule."""
    conditions = (found.get("status") or {}).get("conditions") or ()
    for each in conditions:
        if each["type"] == "ReplicaFailure" and each["status"] == "True":
            return Trouble(f"the cluster lets no replica be made: {each['message']}")
    return None
