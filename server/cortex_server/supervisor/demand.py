"""How many requests are in flight on average: what scalers go by."""

import time
from bisect import bisect_right
from collections import deque
from typing import NamedTuple

from cortex_server.board import Board

HISTORY = 3600
"""Seconds that are remembered, the longest window that can be asked for."""

_INTERVAL = 1.0


class _Sample(NamedTuple):
    time: float
    integral: float
    refused: int
    answered: int
    seconds: float


class Demand:
    """Samples of the board, at most one per second, and means over any window."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._samples = deque([self._now()], HISTORY + 1)

    def sample(self) -> None:
        """Remember the counters of this moment, unless it is too early for that."""
        if time.monotonic() - self._samples[-1].time >= _INTERVAL:
            self._samples.append(self._now())

    def mean(self, window: float) -> float:
        """Mean demand over the last `window` seconds, or as far back as is known.

        That is the mean number of requests in flight, plus those that would have
        been had the replica not refused them: refusals per second times the mean
        time that a request takes (Little's law).
        """
        now = self._now()
        start = self._at(now.time - window)
        elapsed = now.time - start.time
        if elapsed <= 0:
            return float(self._board.in_flight)
        in_flight = (now.integral - start.integral) / elapsed
        refused = (now.refused - start.refused) / elapsed
        return in_flight + refused * _service_time(start, now)

    def _at(self, moment: float) -> _Sample:
        samples = list(self._samples)  # another thread adds to them
        after = bisect_right(samples, moment, key=lambda sample: sample.time)
        return samples[max(after - 1, 0)]

    def _now(self) -> _Sample:
        now, board = time.monotonic(), self._board
        integral = board.integral(now)
        return _Sample(now, integral, board.refused, board.count, board.seconds)


def _service_time(start: _Sample, end: _Sample) -> float:
    if end.answered > start.answered:
        return (end.seconds - start.seconds) / (end.answered - start.answered)
    return end.seconds / end.answered if end.answered else 0.0
