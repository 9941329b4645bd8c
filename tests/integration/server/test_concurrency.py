import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest
from integration.server.replica import (
    GATE,
    Replica,
    receive_response,
    request_bytes,
    running,
)

SLOTS = 3
SOURCE = (
    GATE
    + """
class P:
    def predict(self, payload, query_params, request_id):
        print("entered")
        if "gate" in query_params:
            wait_at(query_params["gate"])
        if "fail" in query_params:
            raise ValueError
        return request_id
"""
)
SOURCE_ASYNC = (
    GATE
    + """
class P:
    async def predict(self, query_params):
        try:
            await await_at(query_params["gate"])
        except asyncio.CancelledError:
            print("cancelled")
            raise
"""
)


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    # Fewer threads than slots: those that wait for a thread are in flight too.
    with running(
        SOURCE, max_replica_concurrency=SLOTS, threads_per_process=2
    ) as replica:
        yield replica


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as pool:
        yield pool


def fill(
    replica: Replica, pool: ThreadPoolExecutor, gate: str, slots: int = SLOTS
) -> list[Future[httpx.Response]]:
    """Occupy slots until a gate is opened."""
    held = [pool.submit(replica.client.post, f"/?gate={gate}") for _ in range(slots)]
    replica.wait_for_metric("cortex_in_flight_requests", slots)
    return held


def test_takes_as_many_as_it_may_and_refuses_the_next_at_once(
    replica: Replica, pool: ThreadPoolExecutor
) -> None:
    refused_before = replica.metric("cortex_refused_requests_total")
    held = fill(replica, pool, "exact")

    began = time.monotonic()
    refused = [replica.client.post("/") for _ in range(5)]
    took = time.monotonic() - began
    replica.open_gate("exact")

    assert {answer.status_code for answer in refused} == {503}
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert took < 0.5
    assert [answer.result().status_code for answer in held] == [200] * SLOTS
    assert replica.metric("cortex_refused_requests_total") == refused_before + 5
    assert replica.metric("cortex_in_flight_requests") == 0


def test_each_answer_goes_to_the_one_who_asked(
    replica: Replica, pool: ThreadPoolExecutor
) -> None:
    def ask(number: int) -> tuple[int, str]:
        headers = {"x-request-id": str(number)}
        response = replica.client.post("/", headers=headers)
        return response.status_code, response.text

    answers = list(pool.map(ask, range(300)))

    assert all(
        text == str(number) if status == 200 else status == 503
        for number, (status, text) in enumerate(answers)
    )
    assert sum(status == 200 for status, _ in answers) > SLOTS


@pytest.mark.parametrize("how", ["fail", "hang up", "break off"])
def test_a_slot_is_free_again_however_a_request_ends(
    replica: Replica, pool: ThreadPoolExecutor, how: str
) -> None:
    if how == "fail":
        futures = [pool.submit(replica.client.post, "/?fail=1") for _ in range(SLOTS)]
        assert {future.result().status_code for future in futures} == {500}
    else:
        path = f"/?gate={how.replace(' ', '-')}"
        connections = [replica.connect() for _ in range(SLOTS)]
        for connection in connections:
            connection.sendall(request_bytes(path=path))
        replica.wait_for_metric("cortex_in_flight_requests", SLOTS)
        for connection in connections:
            if how == "break off":
                connection.sendall(b"POST / HTTP/1.1\r\ncontent-le")
            connection.close()

    replica.wait_for_metric("cortex_in_flight_requests", 0)
    replica.open_gate(how.replace(" ", "-"))
    held = fill(replica, pool, f"after-{how[0]}")
    replica.open_gate(f"after-{how[0]}")
    assert [answer.result().status_code for answer in held] == [200] * SLOTS


def test_a_call_that_waits_for_a_thread_is_taken_back_when_its_client_leaves(
    replica: Replica, pool: ThreadPoolExecutor
) -> None:
    held = fill(replica, pool, "busy", slots=2)
    headers = "x-request-id: gone"
    with replica.connect() as connection:
        connection.sendall(request_bytes(b"", headers))
        replica.wait_for_metric("cortex_in_flight_requests", 3)

    replica.wait_for_metric("cortex_in_flight_requests", 2)
    replica.open_gate("busy")
    assert [answer.result().status_code for answer in held] == [200, 200]
    replica.client.post("/", headers={"x-request-id": "later"})
    replica.logged(event="entered", request_id="later")
    assert not replica.log(event="entered", request_id="gone")
    assert replica.metric("cortex_requests_total", code="499") >= 1


def test_a_coroutine_is_cancelled_when_its_client_leaves_or_its_time_is_up() -> None:
    with running(SOURCE_ASYNC, timeout=1, max_replica_concurrency=1) as replica:
        with replica.connect() as connection:
            connection.sendall(request_bytes(b"", "x-request-id: a", path="/?gate=g"))
            replica.wait_for_metric("cortex_in_flight_requests", 1)
        replica.logged(event="cancelled", request_id="a")
        replica.wait_for_metric("cortex_in_flight_requests", 0)

        headers = {"x-request-id": "b"}
        late = replica.client.post("/?gate=g", headers=headers)

        assert late.status_code == 504
        replica.logged(event="cancelled", request_id="b")
        assert replica.metric("cortex_in_flight_requests") == 0
        assert replica.metric("cortex_requests_total", code="499") == 1
        assert replica.metric("cortex_requests_total", code="504") == 1


def test_slow_clients_hold_no_slot_and_nobody_up(
    replica: Replica, pool: ThreadPoolExecutor
) -> None:
    connections = [replica.connect() for _ in range(20)]
    for index, connection in enumerate(connections):
        request = request_bytes(b"12345", "content-type: text/plain")
        connection.sendall(request[: len(request) - 4 if index % 2 else index + 1])

    assert replica.client.post("/").status_code == 200
    assert replica.metric("cortex_in_flight_requests") == 0
    for index, connection in enumerate(connections):
        request = request_bytes(b"12345", "content-type: text/plain")
        connection.sendall(request[len(request) - 4 if index % 2 else index + 1 :])
        with connection:
            assert receive_response(connection)[0] == 200


def test_a_client_that_reads_slowly_gets_everything_and_holds_nobody_up() -> None:
    source = "class P:\n    def predict(self):\n        return bytes(8 << 20)\n"
    with (
        running(source, max_replica_concurrency=1) as replica,
        replica.connect() as connection,
    ):
        connection.sendall(request_bytes(b"", "connection: close"))
        replica.wait_for_metric("cortex_requests_total", 1)

        assert replica.client.post("/").status_code == 200
        received = len(receive_response(connection)[2])
        assert received == 8 << 20


BUSY = """
import pathlib, time

class P:
    def predict(self, payload, query_params):
        limit = time.monotonic() + 20
        while not pathlib.Path("open").exists() and time.monotonic() < limit:
            {wait}
        if payload == "fail":
            raise ValueError
        return payload
"""


@pytest.mark.parametrize("wait", ["time.sleep(0.005)", "sum(range(1000))"])
def test_who_is_refused_waits_for_nothing_however_busy_the_predictor_is(
    wait: str, pool: ThreadPoolExecutor
) -> None:
    source = BUSY.format(wait=wait)
    with running(source, max_replica_concurrency=SLOTS) as replica:
        held = [pool.submit(replica.client.post, "/", json=1) for _ in range(SLOTS)]
        replica.wait_for_metric("cortex_in_flight_requests", SLOTS)

        refused, took = [], []
        for _ in range(100):
            began = time.monotonic()
            refused.append(replica.client.post("/", json=1))
            took.append(time.monotonic() - began)
        health = time.monotonic()
        assert replica.admin.get("/healthz").is_success
        assert replica.metric("cortex_refused_requests_total") == 100
        health = time.monotonic() - health
        replica.open_gate("open")

        assert {answer.status_code for answer in refused} == {503}
        assert {answer.headers["retry-after"] for answer in refused} == {"1"}
        assert sorted(took)[98] < 0.5  # the claim is a tenth
        assert health < 0.5
        assert [answer.result().status_code for answer in held] == [200] * SLOTS


def test_nothing_is_in_flight_after_errors_timeouts_and_clients_that_left(
    pool: ThreadPoolExecutor,
) -> None:
    source = BUSY.format(wait="time.sleep(0.005)")
    with running(source, max_replica_concurrency=30, timeout=1.0) as replica:
        late = [pool.submit(replica.client.post, "/", json=1) for _ in range(5)]
        left = [replica.connect() for _ in range(5)]
        for connection in left:
            connection.sendall(request_bytes(b"1", "content-type: application/json"))
        replica.wait_for_metric("cortex_in_flight_requests", 10)
        for connection in left:
            connection.close()
        assert [answer.result().status_code for answer in late] == [504] * 5
        replica.open_gate("open")
        bodies = [b'"fail"', b"{", b"1"] * 5
        headers = {"content-type": "application/json"}
        answers = [
            replica.client.post("/", content=body, headers=headers) for body in bodies
        ]

        assert [answer.status_code for answer in answers] == [500, 400, 200] * 5
        assert replica.metric("cortex_in_flight_requests") == 0
        counted = {200: 5, 400: 5, 499: 5, 500: 5, 503: 0, 504: 5}
        assert counted == {
            code: replica.metric("cortex_requests_total", code=str(code))
            for code in counted
        }
