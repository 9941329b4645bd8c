"""Counts of hooks that are no board."""

from collections import Counter

from cortex_server.board import OUTCOMES

LIMIT = 10
"""Seconds after which something that should have happened has not."""


class Counted(Counter[str]):
    """How many there are of everything, slots included."""

    def count_hook(self, what: str, number: int = 1) -> None:
        self[what] += number

    def time_hook(self, seconds: float) -> None:
        assert 0 <= seconds < LIMIT
        self["tries"] += 1

    def enter(self, now: float) -> None:
        self["slots"] += 1

    def leave(self, now: float) -> None:
        self["slots"] -= 1
        assert self["slots"] >= 0

    @property
    def outcomes(self) -> tuple[int, ...]:
        """Accepted, run, failed, dropped."""
        return tuple(self[outcome] for outcome in OUTCOMES)
