"""Counters in memory that the worker writes and the supervisor reads.

They are plain 8-byte cells in a shared mapping with one writer, so counting costs
the request path some tens of nanoseconds, and the supervisor can answer for health
and metrics while the worker's interpreter is busy. Where the predictor runs in several
processes, each has cells of its own, and readers add them up.
"""

import mmap
import os
import time
from bisect import bisect_left
from enum import IntEnum
from http import HTTPStatus
from typing import Final

BUCKETS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0),
)
"""Upper bounds of the latency histogram, seconds; a last one without bound follows."""

CODES: Final = (
    *(status.value for status in HTTPStatus if status >= HTTPStatus.OK),
    499,
)
"""HTTP status codes that are counted by themselves."""

OUTCOMES: Final = ("accepted", "run", "failed", "dropped")
"""What becomes of `post_predict` calls: accepted = run + failed + dropped, at last."""

BATCH_SIZES: Final = tuple(1 << power for power in range(11))
"""Upper bounds of the histogram of batches, requests; there is no larger batch."""

_COUNTED = (*OUTCOMES, "retried", "queued")


class State(IntEnum):
    """Where a replica is in its life."""

    STARTING = 0
    READY = 1
    DRAINING = 2
    FAILED = 3


_STATE, _PREDICTORS, _IN_FLIGHT, _REFUSED, _LOST, _RESTARTS, _COUNT, _BEGUN = range(8)
_HOOKS = 8
_CODES = _HOOKS + len(_COUNTED)
_BUCKETS = _CODES + len(CODES)
_HOOK_BUCKETS = _BUCKETS + len(BUCKETS) + 1
_BATCHES = _HOOK_BUCKETS + len(BUCKETS) + 1
_BATCHED = _BATCHES + len(BATCH_SIZES)
_INTS = _BATCHED + 1
_CODE_CELL = {code: _CODES + index for index, code in enumerate(CODES)}
_HOOK_CELL = {what: _HOOKS + index for index, what in enumerate(_COUNTED)}

_SUM, _INTEGRAL, _SINCE, _HOOK_SUM = range(4)
_FLOATS = 4


def _class_cell(code: int) -> int:
    return _CODE_CELL[min(max(code // 100, 2), 5) * 100]


_CELL = 8
SIZE = (_INTS + _FLOATS) * _CELL
"""Bytes of a board."""


def create(processes: int = 1) -> int:
    """A file descriptor of new, empty boards, one for each process that counts."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("cortex-board")
    else:
        import tempfile  # noqa: PLC0415  # takes long, and Linux does without

        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, processes * SIZE)
    return fd


class Board:
    """The counters of one process, mapped from a descriptor made by `create`.

    Args:
        fd: The descriptor.
        process: Which of the boards; number 0 is that of the worker.
    """

    def __init__(self, fd: int, process: int = 0) -> None:
        self._ints, self._floats = cells(fd, process)

    @property
    def state(self) -> State:
        """Where the replica is in its life."""
        return State(self._ints[_STATE])

    @state.setter
    def state(self, state: State) -> None:
        self._ints[_STATE] = state

    @property
    def predictors(self) -> int:
        """Predictors that can answer, each in a process of its own."""
        return self._ints[_PREDICTORS]

    @predictors.setter
    def predictors(self, number: int) -> None:
        self._ints[_PREDICTORS] = number

    @property
    def is_ready(self) -> bool:
        """Whether predictions are answered."""
        return self.state is State.READY and self.predictors > 0

    @property
    def begun(self) -> int:
        """The number of the call that a predictor process has begun last."""
        return self._ints[_BEGUN]

    @begun.setter
    def begun(self, number: int) -> None:
        self._ints[_BEGUN] = number

    @property
    def in_flight(self) -> int:
        """Requests accepted and not answered yet, waiting ones included."""
        return self._ints[_IN_FLIGHT]

    def enter(self, now: float) -> None:
        """A request was accepted at `now`, in seconds of the monotonic clock."""
        self._move(now, 1)

    def leave(self, now: float) -> None:
        """An accepted request is over."""
        self._move(now, -1)

    def _move(self, now: float, number: int) -> None:
        ints, floats = self._ints, self._floats
        in_flight = ints[_IN_FLIGHT]
        floats[_INTEGRAL] += in_flight * (now - floats[_SINCE])
        floats[_SINCE] = now
        ints[_IN_FLIGHT] = in_flight + number

    def integral(self, now: float) -> float:
        """Seconds spent in flight by all requests so far: its slope is the mean."""
        since = self._floats[_SINCE] or now
        return self._floats[_INTEGRAL] + self.in_flight * (now - since)

    def answered(self, code: int, duration: float) -> None:
        """An accepted request was answered after so many seconds."""
        ints = self._ints
        ints[_CODE_CELL.get(code) or _class_cell(code)] += 1
        ints[_BUCKETS + bisect_left(BUCKETS, duration)] += 1
        ints[_COUNT] += 1
        self._floats[_SUM] += duration

    def count_code(self, code: int) -> None:
        """A response with this status was sent; unknown ones count as their class."""
        self._ints[_CODE_CELL.get(code) or _class_cell(code)] += 1

    def refuse(self) -> None:
        """A request was turned away because the replica is full."""
        self._ints[_REFUSED] += 1
        self.count_code(HTTPStatus.SERVICE_UNAVAILABLE)

    def count_hook(self, what: str, number: int = 1) -> None:
        """A `post_predict` call had one of OUTCOMES, was "retried", or is "queued".

        The last is no total, but how many wait at the moment; so it also goes down.
        """
        self._ints[_HOOK_CELL[what]] += number

    def time_hook(self, seconds: float) -> None:
        """A `post_predict` call kept a worker of its own busy for so long."""
        self._ints[_HOOK_BUCKETS + bisect_left(BUCKETS, seconds)] += 1
        self._floats[_HOOK_SUM] += seconds

    def count_batch(self, size: int) -> None:
        """A batch of so many requests has run."""
        self._ints[_BATCHES + bisect_left(BATCH_SIZES, size)] += 1
        self._ints[_BATCHED] += size

    def abandon(self) -> None:
        """The worker died: what was in flight is lost, and so are accepted hooks."""
        self._ints[_LOST] += self.in_flight
        self._ints[_PREDICTORS] = 0
        self._move(time.monotonic(), -self.in_flight)
        self.settle_hooks()

    def lose(self) -> None:
        """The process that ran a request died, and it cannot run again."""
        self._ints[_LOST] += 1

    def count_restart(self) -> None:
        """A process with a predictor was started in place of one that had ended."""
        self._ints[_RESTARTS] += 1

    def settle_hooks(self) -> None:
        """The process died: what it had accepted and not ended is dropped."""
        self._ints[_HOOK_CELL["dropped"]] += self.hooks_left
        self._ints[_HOOK_CELL["queued"]] = 0

    @property
    def refused(self) -> int:
        """Requests turned away because the replica was full."""
        return self._ints[_REFUSED]

    @property
    def lost(self) -> int:
        """Requests that were in flight when a process died."""
        return self._ints[_LOST]

    @property
    def restarts(self) -> int:
        """Processes with a predictor that were started in place of dead ones."""
        return self._ints[_RESTARTS]

    @property
    def count(self) -> int:
        """Accepted requests that were answered."""
        return self._ints[_COUNT]

    @property
    def seconds(self) -> float:
        """Sum of the durations of all answered requests."""
        return self._floats[_SUM]

    @property
    def codes(self) -> dict[int, int]:
        """Responses by status code, those that occurred."""
        return {c: n for c, cell in _CODE_CELL.items() if (n := self._ints[cell])}

    @property
    def hooks(self) -> dict[str, int]:
        """`post_predict` calls by outcome."""
        return {outcome: self._ints[_HOOK_CELL[outcome]] for outcome in OUTCOMES}

    @property
    def hooks_left(self) -> int:
        """Accepted `post_predict` calls that have had no outcome yet."""
        accepted, *over = self.hooks.values()
        return accepted - sum(over)

    @property
    def hooks_queued(self) -> int:
        """`post_predict` calls that wait for a worker, or to be tried again."""
        return self._ints[_HOOK_CELL["queued"]]

    @property
    def hook_retries(self) -> int:
        """How often a `post_predict` call was tried again."""
        return self._ints[_HOOK_CELL["retried"]]

    @property
    def hook_seconds(self) -> float:
        """Sum of the durations of all `post_predict` calls."""
        return self._floats[_HOOK_SUM]

    @property
    def hook_buckets(self) -> list[int]:
        """`post_predict` calls per bucket, as `buckets` has them."""
        return self._ints[_HOOK_BUCKETS:_BATCHES].tolist()

    @property
    def buckets(self) -> list[int]:
        """Answered requests per bucket, not cumulated; the last has no bound."""
        return self._ints[_BUCKETS:_HOOK_BUCKETS].tolist()

    @property
    def batches(self) -> list[int]:
        """Batches that have run, by the smallest of BATCH_SIZES that holds them."""
        return self._ints[_BATCHES:_BATCHED].tolist()

    @property
    def batched(self) -> int:
        """Requests in all batches that have run."""
        return self._ints[_BATCHED]


def cells(fd: int, process: int) -> "tuple[memoryview[int], memoryview[float]]":
    """The cells of one process: those that count, and those that hold seconds."""
    start = process * SIZE
    view = memoryview(mmap.mmap(fd, 0))[start : start + SIZE]
    return view[: _INTS * _CELL].cast("q"), view[_INTS * _CELL :].cast("d")
