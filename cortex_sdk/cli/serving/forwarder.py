"""Passing connections on to whichever replica serves now, byte by byte.

With `--reload` the port belongs to this process, so that a new replica can take over
from the old one without a moment in which nobody listens.
"""

import asyncio
from asyncio import StreamReader, StreamWriter
from contextlib import suppress

from cortex_sdk.cli.serving.address import Address

_BLOCK = 1 << 16


class Forwarder:
    """A port whose connections lead to a unix socket that can be exchanged."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._path = ""
        self._server: asyncio.Server | None = None

    async def lead_to(self, path: str) -> None:
        """Send new connections there; opens the port the first time."""
        self._path = path
        if self._server is None:
            self._server = await asyncio.start_server(
                self._forward, self._address.host, self._address.port
            )

    def close(self) -> None:
        """Take no more connections."""
        if self._server is not None:
            self._server.close()

    async def _forward(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            their_reader, their_writer = await asyncio.open_unix_connection(self._path)
        except OSError:
            writer.close()
            return
        pumps = [
            asyncio.ensure_future(_pump(reader, their_writer)),
            asyncio.ensure_future(_pump(their_reader, writer)),
        ]
        # As on a direct connection, whoever hangs up ends it for the other one too.
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, their_writer):
            end.close()
        await asyncio.wait(pumps)


async def _pump(source: StreamReader, sink: StreamWriter) -> None:
    with suppress(OSError):
        while block := await source.read(_BLOCK):
            sink.write(block)
            await sink.drain()
