"""Ending a run early: first in good order, then at once, then by force."""

import time
from collections.abc import Callable
from typing import Protocol

from cortex_sdk._target import Progress

GRACE = 120.0
"""Seconds that a run has to finish what it began, unless it is pressed harder."""
_LAST_GRACE = 15.0
_EARLY = 3.0
_SAID = (
    "stopping: what has begun is finished first (Ctrl-C again to stop at once)",
    "stopping at once",
    "ending Pulumi by force",
)


class Stoppable(Protocol):
    """What is to be ended."""

    def interrupt(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """End it."""


class Stopping:
    """How far the ending of one run has come."""

    def __init__(
        self,
        command: Stoppable,
        progress: Progress,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = command
        self._progress = progress
        self._now = now
        self._wanted = 0
        self._since = 0.0
        self._done = 0

    @property
    def is_wanted(self) -> bool:
        """Whether the run is to end early."""
        return self._wanted > 0

    def want(self, times: int, because: str = "") -> None:
        """Want the end so insistently; never less than before."""
        if times > self._wanted:
            self._wanted, self._since = times, self._now()
            self._progress(because or _SAID[min(times, len(_SAID)) - 1])

    def go_on(self, *, is_ready: bool, is_ended: bool) -> None:
        """Do what is due.

        The CLI takes signals from its first event to its last one. Before, a signal
        ends it at once, which is waited with; after, it would lose the state.
        """
        if self.is_wanted and self._now() - self._since > self._patience():
            self.want(self._wanted + 1)
        if self._done >= self._wanted or not (is_ready or self._waited(_EARLY)):
            return
        if self._wanted >= len(_SAID):
            self._done = self._wanted
            self._command.kill()
        elif not is_ended:
            self._done += 1
            self._command.interrupt()

    def _patience(self) -> float:
        return GRACE if self._wanted == 1 else _LAST_GRACE

    def _waited(self, seconds: float) -> bool:
        return self._now() - self._since > seconds
