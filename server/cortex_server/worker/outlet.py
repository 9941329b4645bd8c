"""A stream on its way to the client, over a connection of Sanic's."""

from collections.abc import Callable
from time import monotonic

from sanic.server.protocols.http_protocol import HttpProtocol

_LAST_CHUNK = b"0\r\n\r\n"


class HTTPOutlet:
    """Writes chunks as HTTP/1.1 has them, or as bytes that end with the connection.

    Args:
        connection: Where to.
        head: Status line and header fields; they go with the first chunk.
        is_chunked: Whether the caller knows chunks, as all do since HTTP/1.1.
        ended: Called when all is written; says whether the connection can go on.
    """

    def __init__(
        self,
        connection: HttpProtocol,
        head: bytes,
        *,
        is_chunked: bool,
        ended: Callable[[bool], None],
    ) -> None:
        self._connection = connection
        self._head = head
        self._is_chunked = is_chunked
        self._ended = ended

    async def send(self, chunk: bytes) -> None:
        """Write a chunk; returns when the client has read most of it."""
        transport = self._connection.transport
        if transport is None or transport.is_closing():
            raise ConnectionError
        transport.write(self._written(chunk))
        await self._connection._can_write.wait()  # noqa: SLF001  # what Sanic waits for

    def end(self, last: bytes = b"", *, is_whole: bool) -> None:
        """Write the last words, whether somebody reads or not."""
        transport = self._connection.transport
        is_open = transport is not None and not transport.is_closing()
        if transport is not None and is_open:
            is_marked = is_whole and self._is_chunked
            transport.write(self._written(last) + _LAST_CHUNK * is_marked)
        self._connection._time = monotonic()  # noqa: SLF001  # it is idle from now on
        self._ended(is_open and is_whole and self._is_chunked)

    def _written(self, chunk: bytes) -> bytes:
        head, self._head = self._head, b""
        if chunk and self._is_chunked:
            return b"%b%x\r\n%b\r\n" % (head, len(chunk), chunk)
        return head + chunk if head else chunk
