"""`post_predict`: work that is done after the response is on the wire.

It has threads and a queue of its own, so it never holds a serving slot and never
counts as in flight; when the queue is full the newest call is dropped and counted.
"""

import asyncio
from typing import Any

import structlog

from cortex_server.board import Board
from cortex_server.interface import Method
from cortex_server.worker.execution import Call, Threads
from cortex_server.worker.user_code import own_frames

WORKERS = 4
QUEUE = 1000


class Hooks:
    """Runs accepted `post_predict` calls, at most WORKERS at a time."""

    def __init__(self, method: Method, function: Call, board: Board) -> None:
        self.method = method
        self._function = function
        self._board = board
        self._threads = Threads(WORKERS, "post-predict")
        self._turn = asyncio.Semaphore(WORKERS)
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, arguments: dict[str, Any]) -> None:
        """Accept a call, or drop it when QUEUE others wait; returns at once."""
        if len(self._tasks) >= WORKERS + QUEUE:
            self._board.count_hook("dropped")
            return
        self._board.count_hook("accepted")
        task = asyncio.create_task(self._run(arguments))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, seconds: float) -> None:
        """Let accepted calls finish; what is not done by then counts as dropped."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        left = len(self._tasks)
        if left:
            self._board.count_hook("dropped", left)
            structlog.get_logger().error("post_predict calls dropped", number=left)

    async def _run(self, arguments: dict[str, Any]) -> None:
        async with self._turn:
            try:
                await self._threads.run(self.method, self._function, arguments)
            except BaseException as error:  # noqa: BLE001  # around the user's code
                self._board.count_hook("failed")
                told = own_frames(error)
                structlog.get_logger().error("post_predict failed", exc_info=told)
            else:
                self._board.count_hook("run")
