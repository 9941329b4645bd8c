"""From an iterator of the user's to the chunks of a response.

Async iterators run on the loop. Others run in a thread of the predictor, alone from
their first item to their last, as a `predict` that returns once does: a model that is
not thread-safe stays safe, and whatever the code opens around a `yield` stays where it
was opened. The thread works ahead of the client, by AHEAD at most.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from cortex_server.worker.answer import Answer
from cortex_server.worker.call import Call
from cortex_server.worker.execution import Threads, Work
from cortex_server.worker.stream import BrokenError, Chunks

AHEAD = 1 << 16
"""Bytes that a thread may have made and nobody has taken yet; one item at least."""

_OVERHEAD = 64

Write = Callable[[Any], bytes]


async def explained(
    chunks: Chunks, explain: Callable[[BaseException], Answer]
) -> Chunks:
    """The same chunks; what the user's code raises breaks them off."""
    try:
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            await chunks.aclose()
    except GeneratorExit:
        raise
    except BaseException as error:
        task = asyncio.current_task()
        if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
            raise
        raise BrokenError(explain(error)) from None


def chunks_of(items: Any, write: Write, threads: Threads, call: Call) -> Chunks:  # noqa: ANN401  # the user's
    """Chunks of an iterator; made on the loop if it is async, else in a thread."""
    if hasattr(items, "__anext__"):
        return _from_loop(items, write)
    return _from_thread(items, write, threads, call)


async def _from_loop(items: AsyncIterator[Any], write: Write) -> Chunks:
    """Chunks of an async iterator."""
    try:
        async for item in items:
            yield write(item)
    finally:
        if close := getattr(items, "aclose", None):
            await close()


async def _from_thread(
    items: Iterator[Any], write: Write, threads: Threads, call: Call
) -> Chunks:
    """Chunks of an iterator that runs in a thread."""
    pump = _Pump(items, write)
    work = Work(call, {}, pump.ended)
    threads.submit(pump.run, work)
    try:
        async for chunk in pump:
            yield chunk
    finally:
        work.is_given_up = True
        pump.close()


class _Pump:
    """Hands what an iterator gives from its thread to the loop."""

    def __init__(self, items: Iterator[Any], write: Write) -> None:
        self._items = items
        self._write = write
        self._made: list[bytes] = []
        self._size = 0
        self._is_closed = False
        self._room = threading.Condition()
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._is_done = False
        self._error: BaseException | None = None

    def run(self) -> None:
        """In the thread: make chunks until there are no more, or nobody wants them."""
        try:
            for item in self._items:
                if not self._put(self._write(item)):
                    return
        finally:
            if close := getattr(self._items, "close", None):
                close()

    def ended(self, _: None, error: BaseException | None) -> None:
        """On the loop: the thread is through with it."""
        self._error = error
        self._is_done = True
        self._news.set()

    def close(self) -> None:
        """On the loop: no more is wanted."""
        with self._room:
            self._is_closed = True
            self._room.notify()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """On the loop: all that is there, whenever there is something."""
        while True:
            await self._news.wait()
            is_done = self._is_done  # what was made before that is there now
            self._news.clear()
            if made := self._take():
                yield b"".join(made)
            if is_done:
                break
        if self._error is not None:
            raise self._error

    def _put(self, chunk: bytes) -> bool:
        with self._room:
            self._room.wait_for(lambda: self._is_closed or self._size < AHEAD)
            if self._is_closed:
                return False
            if not self._made:
                self._loop.call_soon_threadsafe(self._news.set)
            self._made.append(chunk)
            self._size += len(chunk) + _OVERHEAD
        return True

    def _take(self) -> list[bytes]:
        with self._room:
            made, self._made = self._made, []
            self._size = 0
            self._room.notify()
        return made
