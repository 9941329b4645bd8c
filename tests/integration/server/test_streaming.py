import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from integration.server.replica import (
    GATE,
    Replica,
    receive,
    receive_response,
    request_bytes,
    running,
    wait_for,
)

SOURCE = (
    GATE
    + """
import numpy, sys
from pathlib import Path

ITEMS = {
    "numbers": [1, {"a": [2.5]}, None],
    "text": ["grün\\n", "two", ""],
    "bytes": [b"\\x00\\xff", bytearray(b"x"), memoryview(b"y")],
    "mixed": ["a\\nb", 1, b"event: mine\\ndata: 2\\n\\n", numpy.arange(2)],
    "none": [],
}

class P:
    def predict(self, query_params):
        return self.items(query_params)

    def items(self, query_params):
        name = query_params.get("name", "")
        made = 0
        try:
            if "refuse" in query_params:
                raise ValueError("secret")
            for item in ITEMS[query_params["items"]]:
                yield item
            if "gate" in query_params:
                wait_at(query_params["gate"])
                yield "after the gate"
            if "fail" in query_params:
                raise ValueError("secret")
            if "unwritable" in query_params:
                yield object()
            size = int(query_params.get("endless", 0))
            while size:
                made += 1
                Path(f"made-{name}").write_text(str(made))
                yield b"x" * size
        finally:
            print("closed", name)
"""
)
ASYNC = (
    SOURCE.replace("    def items", "    async def items")
    .replace("wait_at(q", "await await_at(q")
    .replace("made += 1", "made += 1; await asyncio.sleep(0)")
)
EVENTS = {"accept": "text/event-stream"}
IN_FLIGHT = "cortex_in_flight_requests"


@pytest.fixture(scope="module", params=[1, 2], ids=["one", "two"])
def processes(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module", params=[SOURCE, ASYNC], ids=["def", "async"])
def replica(request: pytest.FixtureRequest, processes: int) -> Iterator[Replica]:
    number = {"processes_per_replica": processes}
    with running(request.param, threads_per_process=4, **number) as replica:
        yield replica


@pytest.mark.parametrize(
    ("items", "kind", "body"),
    [
        ("numbers", "application/x-ndjson", b'1\n{"a":[2.5]}\nnull\n'),
        ("text", "text/plain; charset=utf-8", "grün\ntwo".encode()),
        ("bytes", "application/octet-stream", b"\x00\xffxy"),
        (
            "mixed",
            "text/plain; charset=utf-8",
            b"a\nb1\nevent: mine\ndata: 2\n\n[0,1]\n",
        ),
        ("none", "application/x-ndjson", b""),
    ],
)
def test_items_are_sent_as_chunks(
    replica: Replica, items: str, kind: str, body: bytes
) -> None:
    response = replica.client.post(f"/?items={items}")

    assert response.status_code == 200
    assert response.headers["transfer-encoding"] == "chunked"
    assert response.headers["content-type"] == kind
    assert response.headers["x-request-id"]
    assert response.content == body


@pytest.mark.parametrize(
    ("items", "body"),
    [
        ("numbers", b'data: 1\n\ndata: {"a":[2.5]}\n\ndata: null\n\n'),
        ("text", "data: grün\ndata: \n\ndata: two\n\ndata: \n\n".encode()),
        (
            "mixed",
            b"data: a\ndata: b\n\ndata: 1\n\nevent: mine\ndata: 2\n\ndata: [0,1]\n\n",
        ),
        ("none", b""),
    ],
)
def test_items_are_sent_as_events_to_who_accepts_them(
    replica: Replica, items: str, body: bytes
) -> None:
    response = replica.client.post(
        f"/?items={items}", headers={"accept": "application/json, text/event-stream"}
    )

    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers["cache-control"] == "no-cache"
    assert response.content == body


def test_an_item_is_there_before_the_next_one_is_made(replica: Replica) -> None:
    with replica.client.stream("POST", "/?items=numbers&gate=early") as response:
        lines = response.iter_lines()
        first = [next(lines) for _ in range(3)]
        assert replica.metric(IN_FLIGHT) == 1
        replica.open_gate("early")
        rest = list(lines)

    assert (first, rest) == (["1", '{"a":[2.5]}', "null"], ["after the gate"])
    replica.wait_for_metric(IN_FLIGHT, 0)


def test_an_error_before_the_first_item_has_its_own_status(replica: Replica) -> None:
    response = replica.client.post("/?items=none&fail=", headers=EVENTS)

    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert "secret" not in response.text
    request_id = response.json()["request_id"]
    line = replica.logged(request_id=request_id, level="error")
    assert line["event"] == "predict failed"
    assert "cortex_server" not in line["exception"]


@pytest.mark.parametrize(
    ("how", "event"),
    [("fail", "predict failed"), ("unwritable", "`predict` returned a")],
)
def test_an_error_in_the_middle_cuts_the_connection(
    replica: Replica, how: str, event: str
) -> None:
    failed = replica.metric("cortex_requests_total", code="500")
    headers = {"x-request-id": f"cut-{how}"}
    query = f"/?items=numbers&gate={how}&{how}="
    received: list[bytes] = []

    with replica.client.stream("POST", query, headers=headers) as response:
        replica.open_gate(how)
        with pytest.raises(httpx.RemoteProtocolError):
            received.extend(response.iter_raw())

    assert b"".join(received) == b'1\n{"a":[2.5]}\nnull\nafter the gate'
    line = replica.logged(request_id=f"cut-{how}", level="error")
    assert line["event"].startswith(event)
    replica.wait_for_metric("cortex_requests_total", failed + 1, code="500")


def test_an_error_among_events_is_the_last_event(replica: Replica) -> None:
    headers = {**EVENTS, "x-request-id": "told"}

    response = replica.client.post("/?items=numbers&fail=", headers=headers)

    _, _, last = response.text.partition("event: error\ndata: ")
    problem = json.loads(last)
    assert (problem["status"], problem["request_id"]) == (500, "told")
    assert response.text.startswith("data: 1\n\n")
    assert last.endswith("}\n\n")


@pytest.mark.parametrize("how", ["short", "plain"])
def test_a_client_that_leaves_stops_it(replica: Replica, how: str) -> None:
    left = replica.metric("cortex_requests_total", code="499")
    fields = ["connection: keep-alive"] if how == "plain" else []
    request = request_bytes(b"", *fields, path=f"/?items=text&endless=1&name={how}")
    with replica.connect() as connection:
        connection.sendall(request)
        receive_response(connection)
        assert replica.metric(IN_FLIGHT) == 1
    began = time.monotonic()

    replica.logged(event=f"closed {how}")

    assert time.monotonic() - began < 1
    replica.wait_for_metric("cortex_requests_total", left + 1, code="499")
    assert replica.metric(IN_FLIGHT) == 0


def settled(made: Any) -> int:
    """A number that something has counted up to, once it does so no more."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 0.5:
        now = int(made.read_text() or 0) if made.exists() else 0
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.01)
    return last


@pytest.mark.parametrize("how", ["short", "plain"])
def test_nothing_is_made_while_the_client_does_not_read(
    replica: Replica, how: str
) -> None:
    size, name = 1 << 16, f"slow-{how}"
    fields = ["connection: keep-alive"] if how == "plain" else []
    query = f"/?items=none&endless={size}&name={name}"
    made = replica.folder / "root" / f"made-{name}"
    with replica.connect() as connection:
        connection.sendall(request_bytes(b"", *fields, path=query))
        before = settled(made)
        assert 0 < before < 64

        received = 0
        while received < 4 * before * size:
            received += len(connection.recv(size))

        assert settled(made) > 3 * before


def test_a_caller_of_http_1_0_gets_all_until_the_connection_ends(
    replica: Replica,
) -> None:
    with replica.connect() as connection:
        connection.sendall(b"POST /?items=numbers HTTP/1.0\r\n\r\n")
        head, _, body = receive(connection).partition(b"\r\n\r\n")

    assert b"transfer-encoding" not in head
    assert b"connection: close" in head
    assert body == b'1\n{"a":[2.5]}\nnull\n'


def test_both_ways_write_the_same_and_the_next_request_has_its_turn(
    replica: Replica,
) -> None:
    said = []
    for fields in ([], ["connection: keep-alive"]):
        given = ["x-request-id: same", *fields]
        request = request_bytes(b"", *given, path="/?items=mixed")
        last = request_bytes(b"", "connection: close", path="/?items=none&fail=")
        with replica.connect() as connection:
            connection.sendall(request)
            connection.sendall(last)
            said.append(receive(connection).partition(b"0\r\n\r\n"))

    short, plain = said
    assert short[0] == plain[0]
    assert [each[2].startswith(b"HTTP/1.1 500") for each in said] == [True, True]


def test_a_stream_has_the_time_limit_of_its_request() -> None:
    with running(SOURCE, timeout=0.5) as replica:
        query = "/?items=numbers&gate=never&name=late"
        with (
            pytest.raises(httpx.RemoteProtocolError),
            replica.client.stream("POST", query) as response,
        ):
            response.read()
        replica.wait_for_metric("cortex_requests_total", 1, code="504")
        assert replica.logged(event="request timed out")
        assert replica.metric(IN_FLIGHT) == 0


def test_events_that_take_too_long_end_with_a_504() -> None:
    with running(ASYNC, timeout=0.5) as replica:
        query = "/?items=numbers&gate=never&name=late"
        response = replica.client.post(query, headers=EVENTS)

        _, _, last = response.text.partition("event: error\ndata: ")
        assert json.loads(last)["status"] == 504
        replica.logged(event="closed late")


def test_the_end_of_a_replica_waits_for_its_streams() -> None:
    with (
        running(SOURCE) as replica,
        replica.client.stream("POST", "/?items=numbers&gate=end") as response,
    ):
        lines = response.iter_lines()
        assert next(lines) == "1"
        replica.terminate()
        wait_for("the drain", lambda: not replica.public_socket.exists())
        replica.open_gate("end")

        assert list(lines)[-1] == "after the gate"
        assert replica.wait() == 0


HOOKED = """
class P:
    def predict(self, payload):
        for item in range(payload):
            yield item
        if not payload:
            raise ValueError
        print("made")

    def post_predict(self, response):
        print("followed", len(response), sum(response))
"""


def test_a_hook_follows_the_last_item_with_all_of_them_up_to_a_limit() -> None:
    with running(HOOKED) as replica:
        assert replica.client.post("/", json=3).text == "0\n1\n2\n"
        replica.logged(event="followed 3 3")
        assert replica.client.post("/", json=5000).text.endswith("\n4999\n")
        replica.logged(event="followed 1000 499500")
        assert replica.client.post("/", json=0).status_code == 500
        assert replica.metric("cortex_post_predict_total", outcome="accepted") == 2


ALONE = """
import time
from threading import get_ident

class P:
    def __init__(self):
        self.home = get_ident()
        self.inside = 0

    def predict(self, payload):
        self.inside += 1
        for number in range(200):
            yield [self.inside, get_ident() == self.home]
        self.inside -= 1
"""


def test_generators_share_a_thread_one_after_the_other() -> None:
    with running(ALONE) as replica:
        requests = [request_bytes(b"") for _ in range(3)]
        connections = [replica.connect() for _ in requests]
        for connection, request in zip(connections, requests, strict=True):
            connection.sendall(request)
        texts = [_read_to_end(connection) for connection in connections]

    assert [text.count(b"[1,true]") for text in texts] == [200] * 3


def _read_to_end(connection: socket.socket) -> bytes:
    received = b""
    with connection:
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.recv(1 << 16)
    return received


SCOPED = """
import asyncio

class P:
    async def predict(self, payload):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(asyncio.sleep(0.01, "done"))
            async with asyncio.timeout(10):
                yield "begun"
                yield await task
"""


def test_scopes_of_tasks_and_time_may_span_a_yield() -> None:
    with running(SCOPED) as replica:
        assert replica.client.post("/").text == "begundone"


def test_pages_of_other_origins_may_read_a_stream() -> None:
    with running(SOURCE, cors={}) as replica:
        headers = {"origin": "https://page.test", **EVENTS}
        response = replica.client.post("/?items=numbers", headers=headers)

    assert response.headers["access-control-allow-origin"]
    assert response.text.startswith("data: 1\n\n")


def test_a_client_that_leaves_ends_what_is_waited_for() -> None:
    with running(ASYNC) as replica:
        with replica.connect() as connection:
            connection.sendall(request_bytes(path="/?items=text&gate=never&name=it"))
            while b"two" not in connection.recv(1 << 16):
                """It waits at the gate once that has come."""
        began = time.monotonic()

        replica.logged(event="closed it")

        assert time.monotonic() - began < 1
