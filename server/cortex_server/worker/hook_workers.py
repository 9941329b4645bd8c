"""The workers of hooks: so many at a time, each for so long at most."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, NamedTuple

from cortex_server.interface import Method
from cortex_server.worker.call import Call
from cortex_server.worker.deadlines import Deadlines
from cortex_server.worker.execution import Arguments, Function, Threads, Work, on_loop

Bind = Callable[[Call, Any, Any], Arguments]
"""Makes arguments of a call, its payload, and what the predictor returned."""


class TimeLimitError(Exception):
    """A hook took longer than it may."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A function that follows responses."""

    method: Method
    function: Function
    bind: Bind


class Run:
    """One hook after one response, from its acceptance to its end."""

    __slots__ = ("arguments", "call", "holds_slot", "hook", "retries")

    def __init__(self, hook: Hook, call: Call, arguments: Arguments) -> None:
        self.hook = hook
        self.call = call
        self.arguments = arguments
        self.retries = 0
        self.holds_slot = False
        """Whether the slot of the request is kept until this is queued."""


class Events(NamedTuple):
    """Who wants to know of what; all are called on the loop."""

    ended: Callable[[Run, float, BaseException | None], None]
    """A try is over: after so many seconds, with what it raised."""
    freed: Callable[[], None]
    """A worker can take another run, often right after that."""


class _Try:
    """A run that a worker has taken."""

    __slots__ = ("run", "started", "work", "workers")

    def __init__(self, workers: "Workers", run: Run) -> None:
        self.workers = workers
        self.run = run
        self.started = monotonic()
        self.work: Work | None = None
        """Until it is over."""

    def expire(self) -> None:
        """It has taken too long."""
        self.workers.expire(self)


class Workers:
    """Runs hooks: functions in threads of their own, coroutines on the loop.

    Args:
        number: How many run at a time.
        threads: How many threads there are for them, 0 where all are coroutines.
        timeout: Seconds that each may take.
        events: Who is told.
    """

    def __init__(
        self, number: int, threads: int, timeout: float, events: Events
    ) -> None:
        self.free = number
        self._threads = Threads(threads, "post-predict")
        self._deadlines = Deadlines(timeout)
        self._timeout = timeout
        self._events = events

    def start(self, run: Run) -> None:
        """Run it now; one must be free."""
        self.free -= 1
        one = _Try(self, run)
        self._deadlines.watch(one)
        work = one.work = Work(run.call, run.arguments, partial(self._done, one))
        if run.hook.method.is_async:
            on_loop(run.hook.function, work)
        else:
            self._threads.submit(run.hook.function, work)

    def expire(self, one: _Try) -> None:
        """Give it up; its worker is free when the user's code has really ended.

        A coroutine is cancelled. A thread cannot be stopped: it stays busy.
        """
        task = one.work.task if one.work else None
        if one.work and task:
            one.work.give_up()
            task.add_done_callback(lambda _: self._set_free())
        limit = f"took more than {self._timeout:g} seconds"
        self._end(one, TimeLimitError(limit))

    def _done(self, one: _Try, _result: object, error: BaseException | None) -> None:
        """The user's code has returned or raised."""
        if one.work is not None:  # else its time was up before
            self._end(one, error)
        self._set_free()

    def _end(self, one: _Try, error: BaseException | None) -> None:
        one.work = None  # it leads back here: large payloads would wait for gc
        self._deadlines.forget(one)
        self._events.ended(one.run, monotonic() - one.started, error)

    def _set_free(self) -> None:
        self.free += 1
        self._events.freed()
