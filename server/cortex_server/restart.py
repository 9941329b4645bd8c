"""A process that has ended, and when another is started in its place."""

import signal

_FIRST, _LONGEST = 0.1, 30.0
_HEALTHY = 60.0


def ending(code: int) -> str:
    """How a process with this exit code has ended; negative ones are signals."""
    if code >= 0:
        return f"exited with status {code}"
    name = signal.Signals(-code).name
    hint = " (out of memory?)" if -code == signal.SIGKILL else ""
    return f"was killed by {name}{hint}"


class Backoff:
    """How long to wait: doubles each time, and starts over after a healthy minute."""

    def __init__(self) -> None:
        self._next = _FIRST

    def after(self, healthy: float) -> float:
        """Seconds to wait now, after so many seconds without an end."""
        if healthy > _HEALTHY:
            self._next = _FIRST
        pause, self._next = self._next, min(self._next * 2, _LONGEST)
        return pause
