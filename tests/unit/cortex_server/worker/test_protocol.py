import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from unit.cortex_server.worker.connection import Connection, InPlace, Server, settled

from cortex_server.worker import protocol

MANY = 1 << 19


def post(body: bytes = b"1", *fields: bytes) -> bytes:
    lines = (b"POST / HTTP/1.1", b"Content-Type: application/json", *fields)
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


def test_a_body_that_stops_coming_is_cut_and_one_that_comes_slowly_is_not(
    clock: Clock,
) -> None:
    async def main(server: Server, gate: Gate) -> None:
        gate.open.set()
        limit = server.app.config.REQUEST_TIMEOUT
        slow, stuck = server.connect(), server.connect()
        await settled()
        for client in (slow, stuck):
            await client.send(HEAD)
        assert (slow.protocol._time, stuck.protocol._time) == (clock.now, clock.now)
        for byte in BODY[:-1]:
            clock.now += limit - 1
            await slow.send(bytes([byte]))
            slow.protocol.check_timeouts()
        clock.now += limit - 1
        said = await slow.send(BODY[-1:])
        stuck.protocol.check_timeouts()
        await settled()

        assert said.startswith(b"HTTP/1.1 200 OK")
        assert stuck.transport.said.startswith(b"HTTP/1.1 408 Request Timeout")
        assert b"connection: close" in stuck.transport.said
        assert (slow.transport.is_over, stuck.transport.is_over) == (False, True)

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
            await client.send(b"POST / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n1")
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
