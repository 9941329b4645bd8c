"""The short way of a prediction and Sanic's own give the same answers to any bytes."""

import asyncio
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from integration.server.odd_requests import PlainProtocol
from sanic import Sanic
from sanic.server.protocols.http_protocol import HttpProtocol

from cortex_server import board as board_module
from cortex_server.board import Board
from cortex_server.interface import interface_of
from cortex_server.manifest import Manifest, PredictorModule
from cortex_server.worker.app import create_app
from cortex_server.worker.description import description_of
from cortex_server.worker.execution import Threads
from cortex_server.worker.protocol import PredictProtocol
from cortex_server.worker.runner import Runner
from cortex_server.worker.service import Service

LIMIT = 10
BODY = b'{"a": [1, 2]}'
JSON = b"Content-Type: application/json"


class Echo:
    async def predict(self, payload: Any, query_params: Any, headers: Any) -> Any:
        if "fail" in query_params:
            raise ZeroDivisionError
        if "bytes" in query_params:
            return b"\x00\xff"
        shown = payload.hex() if isinstance(payload, bytes) else payload
        return {
            "payload": shown,
            "query": list(query_params.items()),
            "headers": sorted(
                (name.lower(), value.encode("utf-8", "replace").decode())
                for name, value in headers.items()
            ),
        }


@dataclass(frozen=True)
class Servers:
    short: tuple[str, int]
    plain: tuple[str, int]


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    started, found, loop = threading.Event(), [], uvloop.new_event_loop()

    async def serve(protocol: type[HttpProtocol]) -> None:
        sock = socket.create_server(("127.0.0.1", 0))
        found.append(sock.getsockname())
        server = await application().create_server(
            sock=sock,
            protocol=protocol,
            asyncio_server_kwargs={"start_serving": False},
        )
        assert server is not None
        await server.startup()
        await server.start_serving()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve(PredictProtocol))
        loop.run_until_complete(serve(PlainProtocol))
        started.set()
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(LIMIT)
    yield Servers(*found)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(LIMIT)


def application() -> Any:
    Sanic.test_mode = True
    fd = board_module.create()
    board = Board(fd)
    os.close(fd)
    reference = PredictorModule(module="app", qualname="Echo")
    manifest = Manifest(name="echo", bundle="0", predictor=reference)
    interface = interface_of(Echo)
    service = Service(manifest, board, Runner(Echo(), interface, Threads(1, "test")))
    app = create_app(manifest, description_of(interface), service, "/echo")
    app.config.REQUEST_MAX_SIZE = 100_000
    return app


def post(
    body: bytes = BODY,
    *fields: bytes,
    target: bytes = b"/",
    length: bytes | None = None,
) -> bytes:
    size = b"%d" % len(body) if length is None else length
    lines = (b"POST %b HTTP/1.1" % target, b"Host: a", *fields)
    return b"%b\r\nContent-Length: %b\r\n\r\n%b" % (b"\r\n".join(lines), size, body)


PLAIN = post(BODY, JSON)
CHUNKED = (
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n6\r\n[1,2]}\r\n0\r\n\r\n'
)
REQUESTS = {
    "plain": PLAIN,
    "endpoint": post(BODY, JSON, target=b"/echo?a=1&a=2&b="),
    "endpoint with a slash": post(BODY, JSON, target=b"/echo/"),
    "no body": post(b""),
    "bytes": post(b"\x00\x01", b"Content-Type: application/octet-stream"),
    "text": post("grün".encode(), b"Content-Type: text/plain"),
    "form": post(b"a=1&b=2", b"Content-Type: application/x-www-form-urlencoded"),
    "bytes back": post(BODY, JSON, target=b"/?bytes=1"),
    "failing": post(BODY, JSON, target=b"/?fail=1"),
    "broken json": post(b"{", JSON),
    "other path": post(BODY, JSON, target=b"/other"),
    "encoded path": post(BODY, JSON, target=b"/%65cho"),
    "encoded query": post(BODY, JSON, target=b"/?a=%C3%BC+1&%20=x"),
    "absolute target": post(BODY, JSON, target=b"http://a/echo"),
    "fragment": post(BODY, JSON, target=b"/#x"),
    "double slash": post(BODY, JSON, target=b"//"),
    "chunked": CHUNKED,
    "expect": post(BODY, JSON, b"Expect: 100-continue"),
    "odd expect": post(BODY, JSON, b"Expect: magic"),
    "close": post(BODY, JSON, b"Connection: close"),
    "keep-alive": post(BODY, JSON, b"Connection: Keep-Alive"),
    "http 1.0": PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "http 1.2": PLAIN.replace(b"HTTP/1.1", b"HTTP/1.2"),
    "no http": PLAIN.replace(b" HTTP/1.1", b""),
    "get": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "head": b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    "put": PLAIN.replace(b"POST", b"PUT"),
    "options": b"OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n",
    "lower-case method": PLAIN.replace(b"POST", b"post"),
    "no host": PLAIN.replace(b"Host: a\r\n", b""),
    "repeated header": post(BODY, JSON, b"X-A: 1", b"x-a: 2"),
    "empty header": post(BODY, JSON, b"X-A:"),
    "padded header": post(BODY, JSON, b"X-A:   \t1  "),
    "header in utf-8": post(BODY, JSON, "X-A: ü".encode()),
    "header without colon": post(BODY, JSON, b"nonsense"),
    "header with a space": post(BODY, JSON, b"X A: 1"),
    "space before colon": post(BODY, JSON, b"X-A : 1"),
    "folded header": post(BODY, JSON, b"X-A: 1\r\n 2"),
    "header with nul": post(BODY, JSON, b"X-A: 1\x002"),
    "bare line feeds": PLAIN.replace(b"\r\n", b"\n"),
    "huge header": post(BODY, JSON, b"X-A: " + b"1" * 20_000),
    "gzip": post(BODY, JSON, b"Content-Encoding: gzip"),
    "upgrade": post(BODY, JSON, b"Connection: upgrade", b"Upgrade: h2c"),
    "two lengths": post(BODY, JSON, b"Content-Length: 13"),
    "two different lengths": post(BODY, JSON, b"Content-Length: 1"),
    "length and chunks": post(BODY, JSON, b"Transfer-Encoding: chunked"),
    "signed length": post(BODY, JSON, length=b"+13"),
    "negative length": post(BODY, JSON, length=b"-1"),
    "empty length": post(BODY, JSON, length=b""),
    "hexadecimal length": post(BODY, JSON, length=b"0xd"),
    "huge length": post(BODY, JSON, length=b"9" * 30),
    "too large": post(b"x" * 100_001, b"Content-Type: text/plain"),
    "large": post(b"x" * 90_000, b"Content-Type: text/plain"),
    "two": PLAIN + post(b"[2]", JSON),
    "ten": PLAIN * 10,
    "mixed": PLAIN + CHUNKED + PLAIN + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + PLAIN,
    "garbage after": PLAIN + b"\0\0garbage\r\n\r\n",
    "garbage": b"\0\0garbage\r\n\r\n",
    "half a head": b"POST / HTTP/1.1\r\nHos",
    "half a body": PLAIN[:-3],
}
SPLIT = ("plain", "endpoint", "form", "chunked", "expect", "two", "mixed", "no body")
WELL_FORMED = (
    *("plain", "endpoint", "no body", "bytes", "text", "form", "bytes back", "failing"),
    *("broken json", "other path", "encoded query", "chunked", "expect", "keep-alive"),
    *("get", "put", "repeated header", "empty header", "gzip", "large", "two", "mixed"),
)
LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
SILENCE = 0.5
"""Seconds after which a server is taken to wait for more."""


def responses(address: tuple[str, int], pieces: list[bytes]) -> bytes:
    """All that a server says to some bytes and a last request that closes."""
    with socket.create_connection(address, timeout=SILENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            connection.sendall(piece)
        said = received(connection, until=b"\r\n\r\n")
        with suppress(ConnectionError):  # it did not want the rest
            connection.sendall(LAST)
        return said + received(connection)


def received(connection: socket.socket, until: bytes = b"\0never") -> bytes:
    said = b""
    with suppress(TimeoutError, ConnectionError):  # it waits for more, or has gone
        while until not in said and (block := connection.recv(1 << 16)):
            said += block
    return said


def same(said: bytes) -> list[Any]:
    """The responses without what differs by design: ids, and the order of fields."""
    found = []
    while said:
        head, _, said = said.partition(b"\r\n\r\n")
        line, *fields = head.split(b"\r\n")
        named = dict(field.lower().split(b":", 1) for field in fields)
        size = int(named.pop(b"content-length", b"0"))
        if line.startswith(b"HTTP/1.1 100") or said.startswith(b"HTTP/1.1 "):
            size = 0  # no body comes with these, nor with the answer to a HEAD
        for different in (b"x-request-id", b"alt-svc"):  # the latter is empty
            named.pop(different, None)
        body = re.sub(rb'"request_id":"[^"]*"', b"", said[:size])
        found.append((line, sorted(named.items()), body))
        said = said[size:]
    return found


@pytest.mark.parametrize("name", REQUESTS)
def test_the_same_bytes_get_the_same_answer(servers: Servers, name: str) -> None:
    data = [REQUESTS[name]]

    short, plain = responses(servers.short, data), responses(servers.plain, data)

    assert same(short) == same(plain)


@pytest.mark.parametrize("name", SPLIT)
def test_the_same_bytes_in_two_pieces_get_the_same_answer(
    servers: Servers, name: str
) -> None:
    data = REQUESTS[name]
    whole = same(responses(servers.plain, [data]))

    for cut in range(1, len(data)):
        pieces = [data[:cut], data[cut:]]
        assert same(responses(servers.short, pieces)) == whole, cut


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    names=st.lists(st.sampled_from(WELL_FORMED), min_size=1, max_size=3),
    cut=st.integers(1, 400),
)
def test_any_sequence_of_requests_gets_the_same_answers(
    servers: Servers, names: list[str], cut: int
) -> None:
    data = b"".join(REQUESTS[name] for name in names)
    pieces = [data[:cut], data[cut:]]

    short, plain = responses(servers.short, pieces), responses(servers.plain, pieces)

    assert same(short) == same(plain)
