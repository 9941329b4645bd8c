import itertools
import json
import socket
import time
from collections.abc import Callable, Iterator

import pytest
from integration.server.replica import (
    GATE,
    Replica,
    receive_response,
    request_bytes,
    running,
    wait_for,
)

JSON = "content-type: application/json"
MIB = 1 << 20
SILENCE = 0.5
"""Seconds after which a replica is taken to read no more."""
SOURCE = (
    GATE
    + """
class P:
    async def predict(self, payload, query_params):
        if "large" in query_params:
            return bytes(1 << 20)
        if "gate" in query_params:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                print("cancelled at", time.monotonic())
                raise
        return payload
"""
)


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with running(SOURCE) as replica:
        yield replica


@pytest.mark.parametrize("number", range(5))
def test_a_prediction_is_cancelled_a_moment_after_its_client_has_left(
    replica: Replica, number: int
) -> None:
    name = f"left-{number}"
    with replica.connect() as connection:
        request = request_bytes(b"", f"x-request-id: {name}", path="/?gate=1")
        connection.sendall(request)
        replica.wait_for_metric("cortex_in_flight_requests", 1)
        left = time.monotonic()
    replica.wait_for_metric("cortex_in_flight_requests", 0)
    (event,) = wait_for("the end of it", lambda: cancelled(replica, name))

    assert float(event.split()[-1]) - left < 0.1


def cancelled(replica: Replica, name: str) -> list[str]:
    events = [line["event"] for line in replica.log(request_id=name)]
    return [event for event in events if event.startswith("cancelled at")]


@pytest.mark.parametrize("part", [1, 1000, MIB // 2, MIB - 1])
def test_a_body_that_breaks_off_is_no_prediction_and_holds_nothing(
    replica: Replica, part: int
) -> None:
    before = replica.metric("cortex_requests_total")
    body = b'"%b"' % (b"x" * (MIB - 2))
    request = request_bytes(body, JSON)
    with replica.connect() as connection:
        connection.sendall(request[: len(request) - MIB + part])

    assert replica.client.post("/", json=1).json() == 1
    assert replica.metric("cortex_requests_total") == before + 1
    assert replica.metric("cortex_in_flight_requests") == 0


@pytest.mark.parametrize("size", [MIB - 1, MIB, MIB + 1, 5 * MIB])
@pytest.mark.parametrize("block", [1 << 12, 1 << 16, 1 << 30])
def test_large_bodies_arrive_whole_however_they_come(
    replica: Replica, size: int, block: int
) -> None:
    text = "".join(itertools.islice(itertools.cycle("0123456789abc"), size - 2))
    request = request_bytes(json.dumps(text).encode(), JSON)
    with replica.connect() as connection:
        for _ in range(2):
            for start in range(0, len(request), block):
                connection.sendall(request[start : start + block])
            status, _, body = receive_response(connection)

            assert (status, body.decode() == text) == (200, True)


@pytest.mark.parametrize("field", [JSON, "connection: keep-alive"])
def test_a_client_that_asks_and_does_not_read_is_not_served_without_end(
    replica: Replica, field: str
) -> None:
    before = replica.metric("cortex_requests_total")
    request = request_bytes(b"1", field, path="/?large=1")

    def served() -> int:
        return int(replica.metric("cortex_requests_total") - before)

    with replica.connect() as connection:
        with pytest.raises(TimeoutError):
            ask_without_end(connection, request, served)
        unread = served()
        assert unread < 10
        assert replica.client.post("/", json=1).json() == 1
        for _ in range(unread):
            assert len(receive_one(connection)) == MIB
        wait_for("more answers", lambda: served() > unread + 1)  # it goes on


def ask_without_end(
    connection: socket.socket, request: bytes, served: Callable[[], int]
) -> None:
    """Send one request after another, each when the one before has been served."""
    for sent in range(1, 50):
        connection.sendall(request)
        wait_for("one more", lambda sent=sent: served() >= sent, SILENCE)


def receive_one(connection: socket.socket) -> bytes:
    """The body of the next response, and nothing of what follows it."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    left, body = MIB, b""
    while left:
        block = connection.recv(left)
        assert block
        body += block
        left -= len(block)
    return body


PLAIN = request_bytes(b"[1, 2, 3, 4]", JSON)
LONG_WAY = request_bytes(b"[1, 2, 3, 4]", JSON, "connection: keep-alive")
BROKEN = request_bytes(b"[1, 2", JSON)
SOURCE_QUICK = """
class P:
    def predict(self, payload):
        return payload
"""


def test_memory_stays_flat_over_many_requests() -> None:
    with running(SOURCE_QUICK) as replica:
        ask(replica, 10_000)
        early = replica.worker.memory_info().rss
        ask(replica, 190_000)
        late = replica.worker.memory_info().rss

        assert replica.metric("cortex_requests_total") == 200_000
        assert late < early * 1.05


def ask(replica: Replica, number: int) -> None:
    """Plain requests in the main, with other kinds in between, over new connections."""
    kinds = [*[PLAIN] * 18, LONG_WAY, BROKEN]
    for _ in range(number // 2000):
        with replica.connect() as connection:
            for request in kinds * 100:
                connection.sendall(request)
                assert connection.recv(1 << 12).startswith(b"HTTP/1.1 ")
