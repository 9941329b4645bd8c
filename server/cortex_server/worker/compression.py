"""Bodies that come compressed: read only as far as they may be large.

A few kilobytes can unpack to gigabytes, so nothing is unpacked past the limit.
"""

import asyncio
import sys
import zlib
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Protocol

from sanic.exceptions import PayloadTooLarge, SanicException
from sanic.request import Request

ENCODINGS = ("gzip", "deflate", "zstd")
_ALIKE = {"x-gzip": "gzip"}
_BLOCK = 1 << 16
_MOST_STREAMS = 10_000
"""Compressed streams that a body may be made of; each takes time, however small."""
_BAD_REQUEST, _UNSUPPORTED = 400, 415


class _Unpacker(Protocol):
    """One compressed stream, as zlib and zstd have it."""

    @property
    def eof(self) -> bool: ...  # of the libraries

    @property
    def unused_data(self) -> bytes: ...  # same

    def decompress(self, data: memoryview, max_length: int, /) -> bytes: ...  # same


async def unpack(request: Request) -> None:
    """Replace a compressed body of a request by what it holds."""
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity") or not request.body:
        return
    limit: int = request.app.config.REQUEST_MAX_SIZE
    name = _ALIKE.get(encoding, encoding)
    # In a thread: a large body takes long, and the loop has others to serve.
    request.body = await asyncio.to_thread(unpacked, request.body, name, limit)


def unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """What a compressed body holds.

    Raises:
        SanicException: It has another encoding, is broken, or holds too much.
    """
    failures: tuple[type[Exception], ...] = (*_failures(encoding), EOFError)
    try:
        found = list(_parts(memoryview(body), encoding, limit + 1))
    except failures:
        msg = f"the body is not what its content-encoding says, {encoding}, or not all"
        raise SanicException(msg, _BAD_REQUEST) from None
    if sum(map(len, found)) > limit:
        raise PayloadTooLarge
    return b"".join(found)


def _parts(body: memoryview, encoding: str, most: int) -> Iterator[bytes]:
    """What it holds, at most so many bytes, in pieces."""
    unpacker = _unpacker(encoding, body)
    streams = 1
    while body and most > 0:
        if unpacker.eof:
            streams += 1
            unpacker = _unpacker(encoding, body)
        block = body[:_BLOCK]
        part = unpacker.decompress(block, most)
        yield part
        most -= len(part)
        body = body[len(block) - len(unpacker.unused_data) :]
        if streams > _MOST_STREAMS:
            raise EOFError
    if most > 0 and not unpacker.eof:
        raise EOFError


def _unpacker(encoding: str, body: memoryview) -> _Unpacker:
    if encoding == "zstd":
        unpacker: _Unpacker = _zstd().ZstdDecompressor()
        return unpacker
    if encoding == "gzip":
        return zlib.decompressobj(zlib.MAX_WBITS | 16)
    # Some clients send what the name says instead of what the standard says.
    is_standard = len(body) > 1 and body[0] & 15 == zlib.DEFLATED
    is_standard = is_standard and int.from_bytes(body[:2]) % 31 == 0
    return zlib.decompressobj(zlib.MAX_WBITS if is_standard else -zlib.MAX_WBITS)


def _failures(encoding: str) -> tuple[type[Exception], ...]:
    if encoding not in ENCODINGS:
        known = ", ".join(ENCODINGS)
        msg = f"a body in {encoding} cannot be read; send it as it is, or as {known}"
        error = SanicException(msg, _UNSUPPORTED)
        error.headers = {"Accept-Encoding": known}
        raise error
    return (_zstd().ZstdError,) if encoding == "zstd" else (zlib.error,)


def _zstd() -> Any:  # noqa: ANN401  # one of two modules
    """The module of the standard library, or what stands in for it before 3.14."""
    has_it = sys.version_info >= (3, 14)
    return import_module("compression.zstd" if has_it else "backports.zstd")
