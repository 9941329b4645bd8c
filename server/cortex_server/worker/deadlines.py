"""One timer for all requests: their time limit is the same, so they expire in order."""

import asyncio
from time import monotonic
from typing import Protocol


class Expiring(Protocol):
    """Something with a time limit."""

    started: float

    def expire(self) -> None:
        """The time is up."""


class Deadlines:
    """Expires whatever is still watched so many seconds after it started."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._watched: dict[Expiring, None] = {}  # in order of their start
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, one: Expiring) -> None:
        """Expire it in time, unless it is forgotten by then."""
        self._watched[one] = None
        if self._timer is None:
            self._sleep(one)

    def forget(self, one: Expiring) -> None:
        """It is over."""
        self._watched.pop(one, None)

    def _sleep(self, first: Expiring) -> None:
        pause = max(0.0, first.started + self._seconds - monotonic())
        self._timer = asyncio.get_running_loop().call_later(pause, self._look)

    def _look(self) -> None:
        self._timer = None
        late = monotonic() - self._seconds
        for one in list(self._watched):
            if one.started > late:
                self._sleep(one)
                return
            del self._watched[one]
            one.expire()
