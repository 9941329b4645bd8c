import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sanic.server.protocols import http_protocol
from unit.cortex_server.worker.connection import Connection, InPlace, Server, settled

from cortex_server.worker import protocol
from cortex_server.worker.patience import BODY_RATE, BODY_SECONDS, HEAD_SECONDS

MANY = 1 << 19


def post(body: bytes = b"1", *fields: bytes) -> bytes:
    kind = b"Content-Type: application/json"
    lines = (b"POST / HTTP/1.1", b"Host: a", kind, *fields)
    return b"%b\r\nContent-Length: %d\r\n\r\n%b" % (
        b"\r\n".join(lines),
        len(body),
        body,
    )


HEAD, BODY = post(b"[1, 2, 3]")[:-9], b"[1, 2, 3]"


class Gate:
    """A predictor that answers when it is told to."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.ended: list[str] = []

    async def predict(self, payload: Any) -> Any:
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        return payload


class Back:
    def predict(self, payload: Any) -> Any:
        return payload


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(protocol, "monotonic", clock)
    monkeypatch.setattr(http_protocol, "current_time", clock)
    return clock


def serve(main: Callable[[Server, Gate], Awaitable[None]]) -> None:
    """Run a test against a server of its own, and see that it lets go of everything."""

    async def run() -> None:
        gate = Gate()
        server = Server(gate)
        await server.start()
        await main(server, gate)
        await settled()
        assert server.board.in_flight == 0

    asyncio.run(run())


def bodies(said: bytes) -> list[bytes]:
    """Bodies of small JSON responses, one after another."""
    return [part.split(b"HTTP/1.1")[0] for part in said.split(b"\r\n\r\n")[1:]]


def test_what_comes_during_a_prediction_is_answered_after_it_and_in_order() -> None:
    async def main(server: Server, gate: Gate) -> None:
        client = server.connect()
        said = await client.send(post(b"1"))
        said += await client.send(post(b"2"))
        said += await client.send(post(b"3") + post(b"4")[:30])
        said += await client.send(post(b"4")[30:] + post(b"5"))
        assert (said, server.board.in_flight) == (b"", 1)

        gate.open.set()
        await settled()

        assert bodies(client.transport.said) == [b"1", b"2", b"3", b"4", b"5"]

    serve(main)


def test_what_follows_a_body_has_its_turn_before_what_comes_next() -> None:
    async def main() -> bytes:
        server = Server(Back())
        server.runner.pace = InPlace(1)
        await server.start()
        client = server.connect()
        await client.send(HEAD)
        # One read after the other, and no turn of the loop between them.
        client.protocol.data_received(BODY + post(b"2"))
        client.protocol.data_received(post(b"3"))
        await settled()
        return client.transport.said

    assert bodies(asyncio.run(main())) == [b"[1,2,3]", b"2", b"3"]


def test_a_client_that_leaves_cancels_its_prediction() -> None:
    async def main(server: Server, gate: Gate) -> None:
        client = server.connect()
        await client.send(post())
        await client.send(post()[:10])
        assert server.board.in_flight == 1

        await client.lose()

        assert gate.ended == ["cancelled"]
        assert server.board.codes == {499: 1}
        assert client.transport.said == b""

    serve(main)


@pytest.mark.parametrize("sent", [HEAD, HEAD + BODY[:3]])
def test_a_client_that_leaves_in_the_middle_of_a_body_is_no_request(
    sent: bytes,
) -> None:
    async def main(server: Server, _: Gate) -> None:
        client = server.connect()
        await client.send(sent)

        await client.lose()

        assert server.board.codes == {}

    serve(main)


CHUNKED = (
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
LARGE = post(b"1" * 1_000_000).split(b"1111")[0]


async def drip(client: Connection, clock: Clock, data: bytes, seconds: float) -> float:
    """Send byte by byte, each after some seconds; returns how long it was borne."""
    began = clock.now
    for byte in data:
        client.protocol.check_timeouts()
        await settled()
        if client.transport.is_over:
            break
        await client.send(bytes([byte]))
        clock.now += seconds
    return clock.now - began


@pytest.mark.parametrize(
    ("begin", "rest"),
    [
        (b"", post()),
        (b"P", post()[1:]),
        (post() + b"G", b"ET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (CHUNKED + b"1\r\n1\r\n0\r\n\r\n", post()),
    ],
)
@pytest.mark.parametrize("seconds", [0.5, 1.0, 9.0])
def test_a_head_that_drips_in_is_cut_in_time(
    clock: Clock, begin: bytes, rest: bytes, seconds: float
) -> None:
    async def main(server: Server, gate: Gate) -> None:
        gate.open.set()
        client = server.connect()
        if begin:
            await client.send(begin)
        before = len(client.transport.said)

        borne = await drip(client, clock, rest, seconds)

        said = client.transport.said[before:]
        assert said.startswith(b"HTTP/1.1 408 Request Timeout")
        assert b"head of the request" in said
        assert client.transport.is_over
        assert HEAD_SECONDS < borne <= HEAD_SECONDS + 2 * seconds

    serve(main)


@pytest.mark.parametrize(("begin", "byte"), [(LARGE, b"1"), (CHUNKED, b"1\r\n1\r\n")])
def test_a_body_that_drips_in_is_cut_and_one_at_the_lowest_rate_is_not(
    clock: Clock, begin: bytes, byte: bytes
) -> None:
    async def main(server: Server, gate: Gate) -> None:
        gate.open.set()
        slow, fair = server.connect(), server.connect()
        await slow.send(begin)
        await fair.send(begin)
        piece = byte * (1 + BODY_RATE // len(byte))
        for _ in range(60):
            if not slow.transport.is_over:
                await slow.send(byte)
            await fair.send(piece)
            clock.now += 1
            slow.protocol.check_timeouts()
            fair.protocol.check_timeouts()
            await settled()

        assert slow.transport.said.startswith(b"HTTP/1.1 408 Request Timeout")
        assert b"connection: close" in slow.transport.said
        assert (slow.transport.is_over, fair.transport.is_over) == (True, False)
        await fair.lose()

    serve(main)


@pytest.mark.parametrize(
    "begin", [HEAD, HEAD + BODY[:-1], CHUNKED, CHUNKED + b"9\r\n1"]
)
def test_a_body_that_stops_coming_is_cut(clock: Clock, begin: bytes) -> None:
    async def main(server: Server, _: Gate) -> None:
        client = server.connect()
        await client.send(begin)
        client.protocol.check_timeouts()
        clock.now += BODY_SECONDS - 1
        client.protocol.check_timeouts()
        await settled()
        assert not client.transport.is_over

        clock.now += 2
        client.protocol.check_timeouts()
        await settled()

        assert client.transport.said.startswith(b"HTTP/1.1 408 Request Timeout")
        assert client.transport.is_over

    serve(main)


def test_a_fast_start_earns_no_endless_silence(clock: Clock) -> None:
    async def main(server: Server, _: Gate) -> None:
        client = server.connect()
        await client.send(LARGE)
        client.protocol.check_timeouts()
        await client.send(b"1" * 900_000)
        client.protocol.check_timeouts()
        clock.now += BODY_SECONDS + 1
        client.protocol.check_timeouts()
        await settled()

        assert client.transport.is_over

    serve(main)


def test_a_connection_too_many_is_told_so(clock: Clock) -> None:
    async def main(server: Server, gate: Gate) -> None:
        gate.open.set()
        server.app.ctx.most_connections = 2
        together: set[Any] = set()
        first, second, third = (server.connect(together=together) for _ in range(3))

        assert third.transport.said.startswith(b"HTTP/1.1 503 Service Unavailable")
        assert b"\r\nRetry-After: 1\r\n" in third.transport.said
        assert third.transport.is_over
        assert server.board.codes == {503: 1}
        await second.lose()
        fourth = server.connect(together=together)
        for client in (first, fourth):
            assert bodies(await client.send(post())) == [b"1"]

    serve(main)


def test_a_client_that_reads_slowly_is_waited_for(clock: Clock) -> None:
    async def main(server: Server, gate: Gate) -> None:
        gate.open.set()
        client = server.connect()
        await client.send(post())
        client.protocol.pause_writing()
        for left in (300, 200, 100):
            client.transport.left = left
            clock.now += server.app.config.KEEP_ALIVE_TIMEOUT - 1
            client.protocol.check_timeouts()
        await settled()
        assert not client.transport.is_over

        clock.now += server.app.config.KEEP_ALIVE_TIMEOUT + 1
        client.protocol.check_timeouts()
        await settled()

        assert client.transport.is_over

    serve(main)


def test_a_body_that_begins_on_an_old_connection_has_all_its_time(
    clock: Clock,
) -> None:
    async def main(server: Server, gate: Gate) -> None:
        gate.open.set()
        client = server.connect()
        await client.send(post())
        clock.now += server.app.config.KEEP_ALIVE_TIMEOUT - 1
        await client.send(HEAD)
        clock.now += 2
        client.protocol.check_timeouts()

        assert not client.transport.is_over

    serve(main)


def test_no_limit_of_sanics_ends_a_prediction(clock: Clock) -> None:
    async def main(server: Server, gate: Gate) -> None:
        client = server.connect()
        await client.send(post())
        clock.now += 10_000
        client.protocol.check_timeouts()
        await settled()
        assert not client.transport.is_over

        gate.open.set()
        await settled()

        assert client.transport.said.startswith(b"HTTP/1.1 200 OK")

    serve(main)


def test_nothing_more_is_read_from_a_client_that_does_not_read() -> None:
    async def main(server: Server, gate: Gate) -> None:
        gate.open.set()
        client = server.connect()
        client.protocol.pause_writing()
        await client.send(post())
        assert not client.transport.is_reading

        client.protocol.resume_writing()

        assert client.transport.is_reading

    serve(main)


def test_answers_to_what_was_held_do_not_start_the_reading_again() -> None:
    async def main(server: Server, gate: Gate) -> None:
        client = server.connect()
        await client.send(post(b"1"))
        await client.send(post(b"2"))
        client.protocol.pause_writing()
        resumed = client.transport.resumed
        gate.open.set()
        await settled()
        assert bodies(client.transport.said) == [b"1", b"2"]
        assert client.transport.resumed == resumed

        client.protocol.resume_writing()

        assert client.transport.is_reading

    serve(main)


def test_only_so_much_is_held_while_a_prediction_runs() -> None:
    async def main(server: Server, gate: Gate) -> None:
        client = server.connect()
        await client.send(post(b"1"))
        body = b"[%b]" % (b" " * MANY)
        await client.send(post(body))
        assert not client.transport.is_reading

        gate.open.set()
        await settled()

        assert client.transport.is_reading
        assert bodies(client.transport.said) == [b"1", b"[]"]

    serve(main)


async def reading(client: Connection) -> None:
    await client.send(HEAD + BODY[:1])


async def answering(client: Connection) -> None:
    await client.send(post())


async def idle(client: Connection) -> None:
    await client.send(b"")


@pytest.mark.parametrize(
    ("what", "closes"), [(reading, False), (answering, False), (idle, True)]
)
def test_only_an_idle_connection_is_closed_as_idle(
    what: Callable[[Connection], Awaitable[None]], *, closes: bool
) -> None:
    async def main(server: Server, gate: Gate) -> None:
        client = server.connect()
        await what(client)

        assert client.protocol.close_if_idle() is closes
        assert client.transport.is_over is closes
        gate.open.set()

    serve(main)


def test_while_draining_the_answer_is_the_last_one() -> None:
    async def main(server: Server, gate: Gate) -> None:
        client = server.connect()
        await client.send(post(b"1"))
        await client.send(post(b"2"))
        server.app.config.KEEP_ALIVE = False
        gate.open.set()
        await settled()

        assert bodies(client.transport.said) == [b"1"]
        assert b"connection: close" in client.transport.said
        assert client.transport.is_over

    serve(main)


def test_a_body_is_not_kept_on_a_connection_that_waits() -> None:
    async def main(server: Server, gate: Gate) -> None:
        gate.open.set()
        client = server.connect()
        await client.send(post(b"[%b]" % (b" " * MANY)))

        assert client.protocol._reader.call.body == b""

    serve(main)


def test_no_room_is_made_for_a_body_before_it_comes() -> None:
    async def main(server: Server, _: Gate) -> None:
        client = server.connect()
        await settled()
        tracemalloc.start()
        try:
            await client.send(HEAD.replace(b" 9", b" 100000000") + b"1")
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert most < MANY
        assert client.protocol._reader.is_reading

    serve(main)


class Following:
    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.client: Connection | None = None

    async def predict(self, payload: int) -> int:
        return payload

    async def post_predict(self, response: int) -> None:
        assert self.client is not None
        self.said.append(b"%d: %b" % (response, self.client.transport.said))


@pytest.mark.parametrize("field", [b"X-A: short", b"Connection: keep-alive"])
def test_a_hook_runs_when_the_response_is_written(field: bytes) -> None:
    async def main() -> list[bytes]:
        predictor = Following()
        server = Server(predictor)
        await server.start()
        predictor.client = server.connect()
        await predictor.client.send(post(b"7", field))
        return predictor.said

    (said,) = asyncio.run(main())

    assert said.startswith(b"7: HTTP/1.1 200 OK")
    assert said.endswith(b"\r\n\r\n7")
