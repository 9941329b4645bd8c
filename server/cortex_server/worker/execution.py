"""Where the user's methods run: coroutines on the loop, functions in threads."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from time import monotonic
from typing import Any, Protocol

from cortex_server.worker.call import Call, current

Function = Callable[..., Any]
Arguments = dict[str, Any]
Outcome = tuple[Any, BaseException | None]
Done = Callable[[Any, BaseException | None], None]
"""Called on the loop with a result, or with what the user's code raised."""


class Place(Protocol):
    """Where a piece of work waits together with others."""

    def leave(self) -> None:
        """Nobody waits for it any more."""


class Work:
    """One call of the user's code that has been accepted and may be given up.

    Args:
        call: Whom it is for, None where it is for several.
        arguments: What the function is called with.
        done: See Done.
    """

    __slots__ = ("arguments", "call", "done", "is_given_up", "place", "seconds", "task")

    def __init__(self, call: Call | None, arguments: Arguments, done: Done) -> None:
        self.call = call
        self.arguments = arguments
        self.done = done
        self.is_given_up = False
        self.seconds = 0.0
        """How long the user's code took, once it has run in a thread."""
        self.task: asyncio.Task[None] | None = None
        self.place: Place | None = None

    def give_up(self) -> None:
        """Nobody waits any more: a coroutine is cancelled, a queued call dropped."""
        self.is_given_up = True
        if self.task is not None:
            self.task.cancel()
        if self.place is not None:
            self.place.leave()


class Threads:
    """A fixed number of threads, first come first served."""

    def __init__(self, number: int, name: str) -> None:
        self.number = number
        self._queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._finished: deque[tuple[Work, Any, BaseException | None]] = deque()
        self._is_waking = False
        self._loop: asyncio.AbstractEventLoop | None = None
        for index in range(number):
            run = threading.Thread(
                target=self._serve, name=f"{name}-{index}", daemon=True
            )
            run.start()

    def call(self, function: Function, **arguments: Any) -> Any:  # noqa: ANN401  # the user's
        """Run a function in a thread and wait for it without an event loop."""
        outcome: SimpleQueue[Outcome] = SimpleQueue()
        self._queue.put(lambda: outcome.put(_outcome(function, arguments)))
        result, error = outcome.get()
        if error is not None:
            raise error
        return result

    def submit(self, function: Function, work: Work) -> None:
        """Run a function as soon as a thread is free, unless it is given up before."""
        self._loop = self._loop or asyncio.get_running_loop()
        self._queue.put(lambda: self._work(function, work))

    def _serve(self) -> None:
        while True:
            self._queue.get()()

    def _work(self, function: Function, work: Work) -> None:
        if work.is_given_up:
            return
        current.set(work.call)
        began = monotonic()
        result, error = _outcome(function, work.arguments)
        work.seconds = monotonic() - began
        self._finished.append((work, result, error))
        if not self._is_waking and self._loop is not None:
            self._is_waking = True
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        """Give results to who waits for them: several for one wake-up under load."""
        self._is_waking = False
        while self._finished:
            work, result, error = self._finished.popleft()
            work.done(result, error)


def _outcome(function: Function, arguments: Arguments) -> Outcome:
    try:
        return function(**arguments), None
    except BaseException as error:  # noqa: BLE001  # the boundary around the user's code
        return None, error


def on_loop(function: Function, work: Work) -> None:
    """Run a coroutine function as a task."""
    current.set(work.call)
    work.task = asyncio.get_running_loop().create_task(_awaited(function, work))


async def _awaited(function: Function, work: Work) -> None:
    try:
        result = await function(**work.arguments)
    except BaseException as error:  # noqa: BLE001  # the boundary around the user's code
        if not work.is_given_up:
            work.done(None, error)
    else:
        if not work.is_given_up:
            work.done(result, None)
