"""`post_predict`: work that is done after the response is on the wire.

It has workers and a queue of its own, so it never holds up a response, and no slot of a
request either unless it was asked to ("wait"). Each run that was accepted ends in one
of three ways, and is counted: it was run, it failed, or it was dropped.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from time import monotonic
from typing import Protocol

from cortex_server.interface import Method
from cortex_server.manifest import PostPredict
from cortex_server.worker import hook_log
from cortex_server.worker.call import Call
from cortex_server.worker.hook_workers import (
    Events,
    Hook,
    Run,
    TimeLimitError,
    Workers,
)
from cortex_server.worker.retries import pause


class Counts(Protocol):
    """Who is told how many there are."""

    def count_hook(self, what: str, number: int = 1) -> None:
        """So many more were accepted, run, failed, dropped, retried, or are queued."""

    def time_hook(self, seconds: float) -> None:
        """A try took so long."""

    def enter(self, now: float) -> None:
        """A request takes a slot."""

    def leave(self, now: float) -> None:
        """A request gives its slot back."""


class Hooks:
    """Takes on runs, and sees each to its end.

    Args:
        hooks: What follows each response.
        options: How.
        counts: Who is told.
    """

    def __init__(
        self, hooks: Sequence[Hook], options: PostPredict, counts: Counts
    ) -> None:
        self._hooks = hooks
        self._options = options
        self._counts = counts
        is_threaded = not all(hook.method.is_async for hook in hooks)
        self._workers = Workers(
            options.workers,
            options.workers if is_threaded else 0,
            options.timeout,
            Events(self._ended, self._go_on),
        )
        self._waiting: deque[Run] = deque()
        self._outside: deque[Run] = deque()  # until there is room; with "wait" only
        self._pausing: dict[Run, asyncio.TimerHandle] = {}  # in order of their failure
        self._drops = hook_log.Drops()
        self._left = 0
        self._is_over = False
        self._is_done = asyncio.Event()
        self._is_done.set()

    @property
    def methods(self) -> list[Method]:
        """What is known of each function."""
        return [hook.method for hook in self._hooks]

    @property
    def want_response(self) -> bool:
        """Whether any asks for what the predictor returned."""
        return any("response" in method.arguments for method in self.methods)

    def follow(self, call: Call, payload: object, response: object) -> None:
        """Take on one run of each hook: a response is on the wire."""
        call = call.without_body()
        for hook in self._hooks:
            self._counts.count_hook("accepted")
            if self._makes_room():
                self._take(Run(hook, call, hook.bind(call, payload, response)))
        if self._outside and self._outside[-1].call is call:
            self._outside[-1].holds_slot = True
            self._counts.enter(monotonic())

    async def drain(self, seconds: float) -> None:
        """Let accepted runs finish; what is not done by then counts as dropped."""
        try:
            async with asyncio.timeout(seconds):
                await self._is_done.wait()
        except TimeoutError:
            self._is_over = True
            self._counts.count_hook("dropped", self._left)
            hook_log.left_over(self._left)
        self._drops.tell()

    def _makes_room(self) -> bool:
        """Whether a new run may come in; what is dropped for it is not the new one."""
        if self._workers.free or self._has_room():
            return True
        match self._options.when_full:
            case "drop_new":
                self._drop()
                return False
            case "drop_oldest":
                self._give_up_oldest()
        return True

    @property
    def _queued(self) -> int:
        return len(self._waiting) + len(self._pausing)

    def _has_room(self) -> bool:
        return self._queued < self._options.queue

    def _take(self, run: Run) -> None:
        self._left += 1
        self._is_done.clear()
        if self._workers.free:
            self._workers.start(run)
            return
        self._counts.count_hook("queued")
        (self._waiting if self._has_room() else self._outside).append(run)

    def _give_up_oldest(self) -> None:
        if self._pausing:
            run = next(iter(self._pausing))
            self._pausing.pop(run).cancel()
        else:
            self._waiting.popleft()
        self._counts.count_hook("queued", -1)
        self._drop()
        self._let_go()

    def _drop(self) -> None:
        self._counts.count_hook("dropped")
        self._drops.add()

    def _go_on(self) -> None:
        """Workers are free: give them what waits, and let in what has room then."""
        while self._workers.free and (self._waiting or self._outside):
            self._start_next()
        while self._outside and self._has_room():
            self._waiting.append(self._let_in())

    def _start_next(self) -> None:
        run = self._waiting.popleft() if self._waiting else self._let_in()
        self._counts.count_hook("queued", -1)
        self._workers.start(run)

    def _let_in(self) -> Run:
        run = self._outside.popleft()
        if run.holds_slot:
            self._counts.leave(monotonic())
        return run

    def _ended(self, run: Run, seconds: float, error: BaseException | None) -> None:
        if self._is_over:
            return
        self._counts.time_hook(seconds)
        if error is not None and self._may_retry(run, error):
            self._retry(run, error)
            return
        if error is not None:
            hook_log.failed(run, error)
        self._counts.count_hook("run" if error is None else "failed")
        self._let_go()

    def _let_go(self) -> None:
        self._left -= 1
        if not self._left:
            self._is_done.set()

    def _may_retry(self, run: Run, error: BaseException) -> bool:
        """What took too long is not tried again: a thread may still be at it."""
        is_passing = isinstance(error, Exception) and not isinstance(
            error, TimeLimitError
        )
        # One more than the queue holds: the worker takes one from it.
        has_room = self._queued <= self._options.queue
        return is_passing and has_room and run.retries < self._options.retries

    def _retry(self, run: Run, error: BaseException) -> None:
        run.retries += 1
        seconds = pause(run.retries)
        hook_log.failed_for_now(run, error, seconds)
        loop = asyncio.get_running_loop()
        self._pausing[run] = loop.call_later(seconds, self._try_again, run)
        self._counts.count_hook("retried")
        self._counts.count_hook("queued")

    def _try_again(self, run: Run) -> None:
        del self._pausing[run]
        self._waiting.append(run)
        self._go_on()
