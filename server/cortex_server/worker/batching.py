"""Several waiting requests in one call of the predictor.

Requests stand in one line; a batch takes its head as soon as a predictor is free and
Waiting says so. Each thread runs one batch at a time. While all are busy, a full
batch is put before each thread, which then begins it without the event loop: under
load that has the answers of the last one to write.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from time import monotonic
from typing import Any

import structlog
from sanic.exceptions import SanicException

from cortex_server.interface import PER_REQUEST, Method
from cortex_server.manifest import Batching
from cortex_server.worker.call import current, together
from cortex_server.worker.execution import (
    Arguments,
    Function,
    Threads,
    Work,
    on_loop,
)
from cortex_server.worker.problems import Problem
from cortex_server.worker.user_code import own_frames
from cortex_server.worker.waiting import Waiting

Count = Callable[[int], None]
"""Told the number of requests in each batch that has run."""

_NOT_FOR_EACH = "the predictor did not return a result for each request of its batch"
_RAISED = "the predictor raised an exception"


class BatchError(TypeError):
    """A predictor did not return a result for each request."""


class Batcher:
    """Makes batches of requests and gives each its own result.

    Args:
        batching: Limits of a batch.
        method: What is called; its arguments that belong to a request become lists.
        function: The same, bound to the predictor.
        threads: Where it runs if it is no coroutine, and how many batches do.
        count: See Count.
    """

    def __init__(
        self,
        batching: Batching,
        method: Method,
        function: Function,
        threads: Threads,
        count: Count,
    ) -> None:
        self._method = method
        self._function = function
        self._threads = threads
        self._count = count
        self._size = batching.max_batch_size
        self._waiting = Waiting(self._size, batching.batch_interval)
        self._line: _Line = {}
        self._batches = 0
        self._timer: asyncio.TimerHandle | None = None

    def submit(self, work: Work) -> None:
        """Run it as part of a batch, unless it is given up before."""
        work.place = place = _Place(self._line)
        self._line[place] = work
        is_free = self._batches < self._threads.number
        self._waiting.arrived(monotonic(), len(self._line) if is_free else 0)
        self._go_on()

    def _go_on(self) -> None:
        """Start what is to start now, and see to it that the rest will."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._line and self._may_start():
            self._start()

    def _may_start(self) -> bool:
        waiting, number = len(self._line), self._threads.number
        if self._batches >= number:
            may_be_next = not self._method.is_async and self._batches < 2 * number
            return may_be_next and waiting >= self._size
        pause = self._waiting.start(waiting) - monotonic()
        if pause > 0:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(pause, self._go_on)
        return pause <= 0

    def _start(self) -> None:
        head = dict(islice(self._line.items(), self._size))
        for place in head:
            del self._line[place]
        batch = _Batch(head, self._method, self._function)
        call = next(iter(head.values())).call if len(head) == 1 else None
        work = Work(call, {}, partial(self._ended, batch))
        self._batches += 1
        if self._method.is_async:
            on_loop(batch.run_on_loop, work)
            batch.task = work.task
        else:
            self._threads.submit(batch.run, work)

    def _ended(
        self, batch: "_Batch", results: list[Any] | None, error: BaseException | None
    ) -> None:
        self._batches -= 1
        if batch.works:
            self._count(len(batch.works))
            self._waiting.took(batch.seconds)
        if self._batches < self._threads.number:
            self._waiting.freed(monotonic(), len(self._line))
        self._go_on()
        batch.conclude(results or [], error)
        asyncio.get_running_loop().call_soon(self._answered)

    def _answered(self) -> None:
        self._waiting.answered(monotonic())


class _Place:
    """Where a request is: in the line, then in a batch."""

    __slots__ = ("batch", "line")

    def __init__(self, line: "_Line") -> None:
        self.line = line
        self.batch: _Batch | None = None

    def leave(self) -> None:
        """Nobody waits for it any more."""
        self.line.pop(self, None)
        if self.batch is not None:
            self.batch.leave()
            self.batch = None


_Line = dict[_Place, Work]


class _Batch:
    """The requests of one call, from the line to their results."""

    def __init__(self, head: _Line, method: Method, function: Function) -> None:
        self.works: list[Work] = []
        """What is really run: by then some may have been given up."""
        self.seconds = 0.0
        self.task: asyncio.Task[None] | None = None
        self._head = head
        self._waited_for = len(head)
        self._method = method
        self._function = function
        for place in head:
            place.batch = self

    def leave(self) -> None:
        """One of its requests is not waited for; with the last, the call is ended."""
        self._waited_for -= 1
        if not self._waited_for and self.task is not None:
            self.task.cancel()

    def run(self) -> list[Any]:
        """Call the predictor for all that are still waited for."""
        self._begin()
        if not self.works:
            return []
        began = monotonic()
        try:
            results = self._function(**self._arguments())
        finally:
            self.seconds = monotonic() - began
        return self._checked(results)

    async def run_on_loop(self) -> list[Any]:
        """The same for a coroutine."""
        self._begin()
        if not self.works:
            return []
        began = monotonic()
        try:
            results = await self._function(**self._arguments())
        finally:
            self.seconds = monotonic() - began
        return self._checked(results)

    def conclude(self, results: list[Any], error: BaseException | None) -> None:
        """Give each request its own result, after what is about to begin has begun."""
        if error is not None and self._waited_for:
            results = [self._told(error)] * len(self.works)
        for place in self._head:
            place.batch = None
        soon = asyncio.get_running_loop().call_soon
        for work, result in zip(self.works, results, strict=False):
            if work.is_given_up:
                continue
            if isinstance(result, BaseException):
                soon(work.done, None, result)
            else:
                soon(work.done, result, None)

    def _begin(self) -> None:
        self.works = [work for work in self._head.values() if not work.is_given_up]
        together.set([work.call for work in self.works if work.call])

    def _arguments(self) -> Arguments:
        given = [work.arguments for work in self.works]
        return {
            name: [one[name] for one in given] if name in PER_REQUEST else value
            for name, value in given[0].items()
        }

    def _checked(self, results: Any) -> list[Any]:  # noqa: ANN401  # the user's
        wanted, name = len(self.works), self._method.name
        if not _is_sequence(results):
            msg = (
                f"`{name}` must return a list with a result for each of its {wanted}"
                f" requests, not a {type(results).__name__}"
            )
            raise BatchError(msg)
        if len(results) != wanted:
            msg = (
                f"`{name}` must return a result for each of its {wanted} requests,"
                f" but returned {len(results)}"
            )
            raise BatchError(msg)
        return list(results)

    def _told(self, error: BaseException) -> BaseException:
        """What each request is told of a failure; the log has it once for all."""
        is_ours = isinstance(error, BatchError)
        if isinstance(error, SanicException) or (len(self.works) == 1 and not is_ours):
            return error
        current.set(None)
        logger = structlog.get_logger()
        ids = [work.call.request_id for work in self.works if work.call]
        if is_ours:
            logger.error(str(error), request_ids=ids)
        else:
            logger.error("predict failed", exc_info=own_frames(error), request_ids=ids)
        detail = _NOT_FOR_EACH if is_ours else _RAISED
        return Problem(500, f"{detail}; the log of this request says more")


def _is_sequence(results: Any) -> bool:  # noqa: ANN401  # the user's
    """A list, or what is like one: arrays, tensors, a column of a table."""
    if isinstance(results, str | bytes | bytearray | memoryview):
        return False
    is_array = hasattr(results, "tolist") and getattr(results, "ndim", 1) > 0
    return is_array or isinstance(results, Sequence)
