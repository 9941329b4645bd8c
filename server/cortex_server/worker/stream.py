"""A response that is made while it is sent: one chunk after the other."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Protocol

from cortex_server.worker.answer import Answer, Outlet
from cortex_server.worker.call import Call, current
from cortex_server.worker.items import EVENTS, error_event

CLIENT_CLOSED_REQUEST = 499

Chunks = AsyncGenerator[bytes, None]
"""Parts of a body as they go over the wire; raises BrokenError when it cannot go on."""


class BrokenError(Exception):
    """A body cannot be made to its end.

    Args:
        answer: What the client gets, or would get if nothing had been sent yet.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Recipient(Protocol):
    """The prediction that a stream answers."""

    call: Call

    def end(self, answer: Answer) -> None:
        """Begin to answer it, or break off what has begun."""

    def finish(self, status: int) -> None:
        """Let go of it: the stream has ended."""


class Attachable:
    """Has an outlet for its chunks as soon as the answer is about to be written."""

    __slots__ = ("_outlet",)

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._outlet: asyncio.Future[Outlet] = loop.create_future()

    def attach(self, outlet: Outlet) -> None:
        """Say where the chunks go, when the answer is about to be written."""
        if self._outlet.cancelled():  # it has been given up in the meantime
            outlet.end(is_whole=False)
        else:
            self._outlet.set_result(outlet)

    def _attached(self) -> Outlet | None:
        """The outlet at the end; None where there is none, and one that comes ends."""
        if self._outlet.done() and not self._outlet.cancelled():
            return self._outlet.result()
        self._outlet.cancel()
        return None


class Stream(Attachable):
    """Sends chunks as they are made, and makes none while the client does not read.

    One task does it from the first chunk to the last: what the user's code opens
    around a `yield` belongs to the task that has opened it.

    Args:
        recipient: The prediction; it is answered when the first chunk is there.
        chunks: The body.
        head: Gives the answer without its body; asked when the first chunk is there.
    """

    __slots__ = (
        "_answer",
        "_breaking",
        "_chunks",
        "_head",
        "_is_given_up",
        "_recipient",
        "_task",
    )

    def __init__(
        self, recipient: Recipient, chunks: Chunks, head: Callable[[], Answer]
    ) -> None:
        super().__init__()
        self._recipient = recipient
        self._chunks = chunks
        self._head = head
        self._answer: Answer | None = None
        self._breaking: Answer | None = None
        self._is_given_up = False
        self._task = asyncio.get_running_loop().create_task(self._run())

    def break_off(self, answer: Answer) -> None:
        """Have it end with an error instead of what would still have come."""
        self._breaking = answer

    def give_up(self) -> None:
        """Make no more of it."""
        self._is_given_up = True
        self._task.cancel()

    async def _run(self) -> None:
        current.set(self._recipient.call)
        try:
            await self._send()
        except BrokenError as error:
            if not self._is_given_up:
                self._recipient.end(error.answer)
        except (asyncio.CancelledError, ConnectionError):
            self._is_given_up = True
        self._end()
        with suppress(BrokenError):  # has been told
            await self._chunks.aclose()

    async def _send(self) -> None:
        async for chunk in self._chunks:
            if self._is_given_up:  # the user's code did not mind being cancelled
                return
            await (await self._begun()).send(chunk)
        await self._begun()

    async def _begun(self) -> Outlet:
        if self._answer is None:
            self._answer = self._head()
            self._answer.stream = self
            self._recipient.end(self._answer)
        return await self._outlet

    def _end(self) -> None:
        answer, self._answer = self._answer, None  # which leads back here
        if answer is None:
            return
        self._recipient.finish(self._status(answer))
        outlet = self._attached()
        if outlet is None:
            return
        if self._breaking is not None:
            is_told = answer.content_type == EVENTS
            last = error_event(self._breaking.body) if is_told else b""
            outlet.end(last, is_whole=is_told)
        else:
            outlet.end(is_whole=not self._is_given_up)
            if answer.after is not None and not self._is_given_up:
                answer.after()

    def _status(self, answer: Answer) -> int:
        """What it counts as: the status that was sent is not all there is to say."""
        if self._breaking is not None:
            return self._breaking.status
        return CLIENT_CLOSED_REQUEST if self._is_given_up else answer.status
