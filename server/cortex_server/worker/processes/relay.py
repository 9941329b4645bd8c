"""The body of a response that a predictor process makes while it is sent."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from cortex_server.worker.answer import Answer
from cortex_server.worker.items import EVENTS, error_event
from cortex_server.worker.prediction import Prediction
from cortex_server.worker.stream import CLIENT_CLOSED_REQUEST, Attachable

Ending = tuple[int, bool, bytes]
"""Status that a stream counts as, whether it is whole, and its last words."""


class Relay(Attachable):
    """Passes chunks on at the pace of the client.

    Args:
        prediction: What the stream answers.
        answer: Its head.
        took: Called with the size of each chunk that the client has taken.
        gave_up: Called when no more chunks are wanted.
    """

    def __init__(
        self,
        prediction: Prediction,
        answer: Answer,
        took: Callable[[int], None],
        gave_up: Callable[[], None],
    ) -> None:
        super().__init__()
        self._prediction = prediction
        self._is_told = answer.content_type == EVENTS
        self._took = took
        self._gave_up = gave_up
        self._chunks: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._ending: Ending | None = None
        self._task = asyncio.get_running_loop().create_task(self._run())

    def put(self, chunk: bytes) -> None:
        """Pass on a chunk; whoever makes them waits until enough were taken."""
        self._chunks.append(chunk)
        self._news.set()

    def finish(self, ending: Ending) -> None:
        """All chunks have been put."""
        self._ending = self._ending or ending
        self._news.set()

    def break_off(self, answer: Answer) -> None:
        """Have it end with an error instead of what would still have come."""
        last = error_event(answer.body) if self._is_told else b""
        self._ending = (answer.status, self._is_told, last)
        self._task.cancel()

    def give_up(self) -> None:
        """Nobody waits any more."""
        self._gave_up()
        self._task.cancel()

    async def _run(self) -> None:
        with suppress(asyncio.CancelledError, ConnectionError):
            outlet = await self._outlet
            while await self._is_more():
                chunk = self._chunks.popleft()
                await outlet.send(chunk)
                self._took(len(chunk))
            self._end()
            return
        self._ending = self._ending or (CLIENT_CLOSED_REQUEST, False, b"")
        self._gave_up()
        self._end()

    async def _is_more(self) -> bool:
        while not self._chunks:
            if self._ending is not None:
                return False
            self._news.clear()
            await self._news.wait()
        return True

    def _end(self) -> None:
        status, is_whole, last = self._ending or (CLIENT_CLOSED_REQUEST, False, b"")
        self._prediction.finish(status)
        if (outlet := self._attached()) is not None:
            outlet.end(last, is_whole=is_whole)
