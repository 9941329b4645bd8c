"""Chunked bodies as RFC 9112 has them, where Sanic takes more."""

import re
from typing import Any

from sanic.exceptions import BadRequest
from sanic.http import Http
from sanic.http.http1 import HTTP_CONTINUE

_NUMBERS = {10: re.compile(r"[0-9]{1,18}"), 16: re.compile(r"[0-9A-Fa-f]{1,15}")}
_LINE_END = b"\r\n"
_LONGEST_LINE = 64


class StrictHttp(Http):
    """Sanic's reading of requests, less what a gateway may read in another way."""

    __touchup__ = ()  # type: ignore[assignment]  # what is inherited is touched up
    __slots__ = ()

    async def read(self) -> bytes | None:
        """Read some bytes of the body."""
        if self.expecting_continue:  # else the client would wait for us
            self.expecting_continue = False
            await self._send(HTTP_CONTINUE)
        kind: Any = self.request_body  # Sanic has the wrong type
        if kind == "chunked" and self.request_bytes_left == 0:
            await self._check_size_line()
        data: bytes | None = await super().read()
        return data

    async def _check_size_line(self) -> None:
        """The end of the chunk before, a size, and no line feed of its own."""
        buffer: bytearray = self.recv_buffer
        while len(buffer) < len(_LINE_END):
            await self._receive_more()
        is_whole = buffer.startswith(_LINE_END)
        while is_whole and (end := buffer.find(_LINE_END, 3)) < 0:
            if len(buffer) > _LONGEST_LINE:
                return  # Sanic says so
            await self._receive_more()
        if not is_whole or any(byte in buffer[2:end] for byte in b"\r\n\0"):
            self.keep_alive = False
            msg = "Bad chunked encoding"
            raise BadRequest(msg)

    @staticmethod
    def _safe_int(value: Any, base: int = 10) -> int:  # noqa: ANN401  # Sanic's
        text = value.rstrip(" \t")
        if not _NUMBERS[base].fullmatch(text):
            raise ValueError
        return int(text, base)
