"""How long to wait before something that ended is started again."""

from dataclasses import dataclass

_FIRST, _LONGEST = 0.5, 30.0
_DOUBLINGS = 6  # enough to get there, and not so many as to overflow
_HEALTHY = 60.0


@dataclass(slots=True)
class Backoff:
    """Doubles with every failure, starts over after a healthy minute."""

    failures: int = 0

    def after(self, healthy: float) -> float:
        """Seconds to wait now, after so many seconds of health."""
        if healthy >= _HEALTHY:
            self.failures = 0
        delay = min(_FIRST * 2.0 ** min(self.failures, _DOUBLINGS), _LONGEST)
        self.failures += 1
        return delay
