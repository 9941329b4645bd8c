"""One end of the socket between the worker and a predictor process."""

import asyncio
import io
from collections.abc import Sequence
from typing import Any, Protocol

from cortex_server.worker.processes.frame import HEADER, head, values_of

_ROOM = 1 << 16
"""Bytes that are read at a time, and the size from which a body gets its own memory."""


class Listener(Protocol):
    """Who gets the frames that come."""

    def received(self, kind: int, number: int, values: list[Any], body: bytes) -> None:
        """A frame has come."""

    def read_all(self) -> None:
        """All frames that had come together have been received."""

    def lost(self) -> None:
        """The other end is closed: no more will come, and nothing arrives."""


class Channel(asyncio.BufferedProtocol):
    """Sends frames, and gives those that come to a listener.

    Small frames are read many at a time. The body of a large one is read by the system
    straight to where it stays.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._room = memoryview(bytearray(_ROOM))
        self._filled = 0
        self._large: _Large | None = None
        self._transport: asyncio.WriteTransport | None = None

    def send(
        self, kind: int, number: int = 0, values: Sequence[Any] = (), body: bytes = b""
    ) -> None:
        """Send a frame; it is lost when the other end is gone."""
        if self._transport is None:
            return
        start = head(kind, number, values, len(body))
        if body:
            self._transport.writelines((start, body))
        else:
            self._transport.write(start)

    def close(self) -> None:
        """Send what has not been sent yet, and close."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of asyncio: frames can be sent."""
        self._transport = transport  # type: ignore[assignment]  # of a socket

    def connection_lost(self, _error: Exception | None) -> None:
        """Of asyncio: the other end is gone."""
        self._transport = None
        self._listener.lost()

    def get_buffer(self, _hint: int) -> memoryview:
        """Of asyncio: where the next bytes go."""
        if self._large is not None:
            return self._large.rest
        return self._room[self._filled :]

    def buffer_updated(self, number: int) -> None:
        """Of asyncio: so many bytes have come."""
        if self._large is not None:
            self._large.took(number)
            if self._large.rest:
                return
            large, self._large = self._large, None
            self._listener.received(*large.start, large.body())
        else:
            self._filled += number
            self._read()
        self._listener.read_all()

    def _read(self) -> None:
        """Give away the frames that are whole, and keep the rest."""
        start = 0
        while (end := self._read_one(start)) is not None:
            start = end
        left = self._filled - start
        if start:
            self._room[:left] = self._room[start : self._filled]
        self._filled = left
        self._make_room()

    def _read_one(self, start: int) -> int | None:
        """Read the frame that starts here; where it ends, None if more must come."""
        if self._filled - start < HEADER.size:
            return None
        kind: int
        number: int
        told: int
        size: int
        kind, number, told, size = HEADER.unpack_from(self._room, start)
        first = start + HEADER.size
        body = first + told
        if body > self._filled:
            return None
        values = values_of(self._room[first:body])
        end = body + size
        if end > self._filled:
            self._large = _Large((kind, number, values), size)
            self._large.put(self._room[body : self._filled])
            return self._filled
        self._listener.received(kind, number, values, bytes(self._room[body:end]))
        return end

    def _make_room(self) -> None:
        """See that the values of the next frame fit; its body has its own memory."""
        if self._filled < HEADER.size:
            return
        needed = HEADER.size + HEADER.unpack_from(self._room)[2]
        if needed > len(self._room):
            room = memoryview(bytearray(needed))
            room[: self._filled] = self._room[: self._filled]
            self._room = room


class _Large:
    """A frame whose body is still coming."""

    def __init__(self, start: tuple[int, int, list[Any]], size: int) -> None:
        self.start = start
        # What BytesIO holds can be written to in place, and taken out without a copy.
        self._memory = io.BytesIO(bytes(size))
        self.rest = self._memory.getbuffer()
        """Where the bytes that are still to come belong."""

    def put(self, part: memoryview) -> None:
        """Take a part that has come already."""
        self.rest[: len(part)] = part
        self.took(len(part))

    def took(self, number: int) -> None:
        """So many bytes have come into `rest`."""
        self.rest = self.rest[number:]

    def body(self) -> bytes:
        """All of it; to be called once, when `rest` is empty."""
        self.rest.release()
        return self._memory.getvalue()
