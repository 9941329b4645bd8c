"""A stream on its way out of a predictor process."""

import asyncio
from collections.abc import Callable

from cortex_server.worker.processes.channel import Channel
from cortex_server.worker.processes.frame import Kind

AHEAD = 1 << 16
"""Bytes that may have been sent and that no client has taken yet."""


class FrameOutlet:
    """Sends the chunks of a call, and no more than the client keeps up with.

    Args:
        channel: Where to.
        number: Of the call.
        ended: Called when all is sent.
    """

    def __init__(
        self, channel: Channel, number: int, ended: Callable[[], None]
    ) -> None:
        self.status = 200
        """What the stream counts as."""
        self._channel = channel
        self._number = number
        self._ended = ended
        self._ahead = 0
        self._has_room = asyncio.Event()

    async def send(self, chunk: bytes) -> None:
        """Send a chunk; returns when the next one may be made."""
        self._ahead += len(chunk)
        self._channel.send(Kind.CHUNK, self._number, body=chunk)
        while self._ahead >= AHEAD:
            self._has_room.clear()
            await self._has_room.wait()

    def took(self, size: int) -> None:
        """The client has taken so many bytes."""
        self._ahead -= size
        self._has_room.set()

    def end(self, last: bytes = b"", *, is_whole: bool) -> None:
        """Send the last words, and say whether the body is whole or broken off."""
        self._channel.send(Kind.END, self._number, (self.status, is_whole), last)
        self._ended()
