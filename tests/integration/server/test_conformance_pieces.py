"""As test_conformance, without sockets: every split is exact, every effect is seen."""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from integration.server.odd_requests import (
    GET,
    LARGEST,
    PLAIN,
    REQUESTS,
    PlainProtocol,
    comparable,
    post,
)
from sanic.exceptions import SanicException
from sanic.response import HTTPResponse
from sanic.server.protocols.http_protocol import HttpProtocol
from unit.cortex_server.worker.connection import InPlace, Server, settled

from cortex_server.worker.protocol import PredictProtocol

Effect = tuple[bytes, bool, int]
"""What is said after a piece, whether the connection ends, and what is in flight."""


class Echo:
    async def predict(self, payload: Any, query_params: Any, headers: Any) -> Any:
        return echoed(payload, query_params, headers)


class EchoInPlace:
    def predict(self, payload: Any, query_params: Any, headers: Any) -> Any:
        return echoed(payload, query_params, headers)


def echoed(payload: Any, query_params: Any, headers: Any) -> Any:
    if "fail" in query_params:
        raise ZeroDivisionError
    shown = payload.hex() if isinstance(payload, bytes) else repr(payload)
    fields = sorted((name.lower(), ascii(value)) for name, value in headers.items())
    return [shown, list(query_params.items()), fields]


class Both:
    """The same application with the short way and without, on one loop."""

    def __init__(self, predictor: Any) -> None:
        self._runner = asyncio.Runner()
        self._server = Server(predictor)
        if isinstance(predictor, EchoInPlace):
            self._server.runner.pace = InPlace(1)
        self._server.app.config.REQUEST_MAX_SIZE = LARGEST
        self._runner.run(self._server.start())

    def check(self, *pieces: bytes) -> list[Effect]:
        """The same bytes in the same pieces have the same effects."""
        with structlog.testing.capture_logs():
            short = self._runner.run(self._effects(PredictProtocol, pieces))
            plain = self._runner.run(self._effects(PlainProtocol, pieces))

        assert short == plain
        return short

    async def _effects(
        self, kind: type[HttpProtocol], pieces: Iterable[bytes]
    ) -> list[Effect]:
        board, client = self._server.board, self._server.connect(kind)
        await settled()
        found = []
        for piece in pieces:
            said = comparable(await client.send(piece))
            found.append((said, client.transport.is_over, board.in_flight))
        await client.lose()
        assert board.in_flight == 0
        return found

    def end(self) -> None:
        self._runner.close()


@pytest.fixture(scope="module", params=[Echo, EchoInPlace])
def both(request: pytest.FixtureRequest) -> Iterator[Both]:
    both = Both(request.param())
    yield both
    both.end()


SHORT = [name for name, request in REQUESTS.items() if len(request) < 300]


def test_plain_predictions_are_answered_at_all(both: Both) -> None:
    said = both.check(PLAIN, REQUESTS["at the endpoint"])

    assert [one.startswith(b"HTTP/1.1 200 OK\r\n") for one, _, _ in said] == [True] * 2


@pytest.mark.parametrize("name", REQUESTS)
def test_every_request_is_answered_as_sanic_answers_it(both: Both, name: str) -> None:
    both.check(REQUESTS[name], PLAIN, GET)
    both.check(REQUESTS[name] + PLAIN, GET)
    both.check(PLAIN + REQUESTS[name], PLAIN)
    both.check(PLAIN, REQUESTS[name], PLAIN)


@pytest.mark.parametrize("name", SHORT)
def test_it_does_not_matter_where_a_request_is_split(both: Both, name: str) -> None:
    request = REQUESTS[name]

    for cut in range(1, len(request)):
        both.check(request[:cut], request[cut:], PLAIN)
    both.check(*(request[at : at + 1] for at in range(len(request))), PLAIN)


NAMES = st.sampled_from(sorted(REQUESTS))
SNIPPETS = st.binary(max_size=3) | st.sampled_from(
    [b"\r\n", b"\r\n\r\n", b" ", b":", b"\0", b"POST ", b"[1]", b"Content-Length: 3"]
)
CHANGES = st.tuples(st.integers(0, 1000), st.integers(0, 3), SNIPPETS)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    pieces = [data[a:b] for a, b in pairwise([0, *ends])]
    return [piece for piece in pieces if piece]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(NAMES, min_size=1, max_size=5),
    places=st.lists(st.integers(0, 2000), max_size=6),
)
def test_sequences_in_any_pieces_are_read_alike(
    both: Both, names: list[str], places: list[int]
) -> None:
    both.check(*cut(b"".join(REQUESTS[name] for name in names), places))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(NAMES, min_size=1, max_size=3),
    changes=st.lists(CHANGES, min_size=1, max_size=4),
    places=st.lists(st.integers(0, 2000), max_size=3),
)
def test_damaged_requests_are_read_alike(
    both: Both,
    names: list[str],
    changes: list[tuple[int, int, bytes]],
    places: list[int],
) -> None:
    data = b"".join(REQUESTS[name] for name in names)
    for place, length, snippet in changes:
        at = place % (len(data) + 1)
        data = data[:at] + snippet + data[at + length :]

    both.check(*cut(data, places))


TARGETS = st.sampled_from([b"/", b"/echo", b"/other", b"/?a=1", b"/echo?b"])
TOKENS = st.sampled_from(
    [
        *(b"host", b"X-A", b"content-length", b"Connection", b"Expect", b"Upgrade"),
        *(b"Content-Type", b"transfer-encoding", b"Accept", b"x-request-id"),
    ]
)
VALUES = st.sampled_from(
    [
        *(b"1", b"3", b"close", b"keep-alive", b"chunked", b"100-continue", b"\xff"),
        *(b"", b" ", b"application/json", b"gzip", b"text/plain", b"websocket"),
    ]
)


@st.composite
def made_requests(draw: st.DrawFn) -> bytes:
    method = draw(st.sampled_from([b"POST", b"POST", b"POST", b"GET", b"PUT", b"HEAD"]))
    fields = draw(st.lists(st.tuples(TOKENS, VALUES).map(b": ".join), max_size=4))
    body = draw(st.sampled_from([b"", b"1", b"[1]", b"[1", PLAIN, b"0\r\n\r\n"]))
    if draw(st.booleans()):
        fields.append(b"Content-Length: %d" % len(body))
    line = b"%b %b HTTP/1.1" % (method, draw(TARGETS))
    host = b"Host: a" if draw(st.integers(0, 9)) else b"X-B: no host"
    return b"\r\n".join((line, host, *fields, b"", body))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    requests=st.lists(made_requests(), min_size=1, max_size=4),
    places=st.lists(st.integers(0, 2000), max_size=4),
)
def test_made_up_requests_are_read_alike(
    both: Both, requests: list[bytes], places: list[int]
) -> None:
    both.check(*cut(b"".join(requests), places))


def test_a_body_that_looks_like_a_request_is_none(both: Both) -> None:
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(PLAIN)

    both.check(head, PLAIN, PLAIN)
    both.check(head.replace(b"PUT /", b"POST /other"), PLAIN[:20], PLAIN[20:], PLAIN)


PLACES = [
    *(post(line=b"POST%b / HTTP/1.1"), post(line=b"POST %b/ HTTP/1.1")),
    *(post(line=b"POST /%b HTTP/1.1"), post(line=b"POST /?a%bb HTTP/1.1")),
    *(post(line=b"POST / %bHTTP/1.1"), post(line=b"POST / HTTP/1.1%b")),
    *(post(b"[1]", b"X-A: 1%b2"), post(b"[1]", b"X-A: %b"), post(b"[1]", b"X-A:%b")),
    *(post(b"[1]", b"X%bA: 1"), post(b"[1]", b"%bX-A: 1"), post(length=b"%b3")),
    *(post(b"[1]", b"X-A: 1\r%b\nX-B: 2"), post(length=b"3%b"), post(length=b"%b")),
    *(PLAIN + b"%b", b"%b" + PLAIN),
]


@pytest.mark.parametrize("place", PLACES)
def test_any_byte_anywhere_is_read_alike(both: Both, place: bytes) -> None:
    for byte in range(256):
        both.check(place.replace(b"%b", bytes([byte])), PLAIN)


HEADERS = [
    {},
    {"x-own": "1", "X-Other": "ü"},
    {"content-length": "999"},
    {"transfer-encoding": "chunked", "connection": "close"},
    {"Content-Type": "text/x-own", "x-request-id": "own"},
    {"x-a": "1\r\nx-evil: 2\r\n\r\nHTTP/1.1", "x-b\r\nx-evil": "3\0"},
    {"x-a": "\udcff", "x-b": "\ud800", "x-ü": "1", "": "2"},
    {"content-type": "text/ü\r\nx-evil: 1"},
    {"alt-svc": "h3", "keep-alive": "1", "server": "own", "date": "now"},
]
RESPONSES = [
    HTTPResponse(body, status, dict(fields), kind)
    for body, kind in [(b"", None), ("ü", "text/plain"), (b"1", "a/b\r\nx-evil: 1")]
    for status in (200, 204, 304, 412)
    for fields in HEADERS
]
RESPONSES += [HTTPResponse("a", status) for status in range(200, 600)]
RESPONSES += [HTTPResponse("a", status) for status in (999, 1000, 199, 0, -1)]
RESPONSES += [HTTPResponse("a", status) for status in (None, "200", 200.0)]  # type: ignore[arg-type]  # on purpose
COOKIES = HTTPResponse("a")
COOKIES.add_cookie("a", "1")
COOKIES.add_cookie("b", "2")
TEXT = HTTPResponse()
TEXT.body = "ü"  # type: ignore[assignment]  # on purpose
RESPONSES += [COOKIES, TEXT]


class Responding:
    async def predict(self, query_params: Any) -> Any:
        return RESPONSES[int(query_params["number"])]


class Raising:
    async def predict(self, query_params: Any) -> Any:
        made = RESPONSES[int(query_params["number"])]
        raise SanicException(
            "it is so", status_code=made.status, headers=dict(made.headers)
        )


@pytest.mark.parametrize("kind", [Responding, Raising])
def test_whatever_response_the_user_makes_is_written_alike(
    kind: type[Responding | Raising],
) -> None:
    both = Both(kind())
    for number in range(len(RESPONSES)):
        line = b"POST /?number=%d HTTP/1.1" % number

        effects = both.check(post(line=line), GET)

        assert b"\nx-evil" not in effects[0][0].lower()
        assert effects[0][0].count(b"HTTP/1.1 ") == 1
        assert effects[1][0].startswith(b"HTTP/1.1 200 OK")
    both.end()
