"""`post_predict`: work that is done after the response is on the wire.

It has threads and a queue of its own, so it never holds a serving slot and never
counts as in flight; when the queue is full the newest call is dropped and counted.
"""

import asyncio
from collections import deque
from typing import Any

import structlog

from cortex_server.board import Board
from cortex_server.interface import Method
from cortex_server.worker.call import Call, current
from cortex_server.worker.execution import Arguments, Function, Threads, Work, on_loop
from cortex_server.worker.user_code import own_frames

WORKERS = 4
QUEUE = 1000


class Hooks:
    """Runs accepted `post_predict` calls, at most WORKERS at a time."""

    def __init__(self, method: Method, function: Function, board: Board) -> None:
        self.method = method
        self._function = function
        self._board = board
        self._threads = Threads(WORKERS, "post-predict")
        self._waiting: deque[Work] = deque()
        self._running = 0
        self._is_done = asyncio.Event()
        self._is_done.set()

    def submit(self, call: Call, arguments: Arguments) -> None:
        """Accept a call, or drop it when QUEUE others wait; returns at once."""
        self._board.count_hook("accepted")
        if len(self._waiting) >= QUEUE:
            self._board.count_hook("dropped")
            return
        self._is_done.clear()
        work = Work(call, arguments, lambda _, error: self._ended(call, error))
        if self._running < WORKERS:
            self._start(work)
        else:
            self._waiting.append(work)

    async def drain(self, seconds: float) -> None:
        """Let accepted calls finish; what is not done by then counts as dropped."""
        try:
            async with asyncio.timeout(seconds):
                await self._is_done.wait()
        except TimeoutError:
            left = len(self._waiting) + self._running
            self._board.count_hook("dropped", left)
            structlog.get_logger().error("post_predict calls dropped", number=left)

    def _start(self, work: Work) -> None:
        self._running += 1
        if self.method.is_async:
            on_loop(self._function, work)
        else:
            self._threads.submit(self._function, work)

    def _ended(self, call: Call, error: BaseException | None) -> None:
        self._running -= 1
        self._board.count_hook("run" if error is None else "failed")
        if error is not None:
            current.set(call)
            told: Any = own_frames(error)
            structlog.get_logger().error("post_predict failed", exc_info=told)
        if self._waiting:
            self._start(self._waiting.popleft())
        elif not self._running:
            self._is_done.set()
