import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import psutil
import pytest
from integration.server.replica import (
    GATE,
    Replica,
    request_bytes,
    running,
    starting,
    wait_for,
    wait_for_end,
)

PROCESSES = 2
SLOTS = 4
LOST = "cortex_lost_requests_total"
IN_FLIGHT = "cortex_in_flight_requests"
RESTARTS = "cortex_process_restarts_total"
HOOKS = "cortex_post_predict_total"

SOURCE = (
    GATE
    + """
import ctypes

class P:
    def __init__(self):
        if pathlib.Path("broken").exists():
            raise ValueError("broken")

    def predict(self, payload, query_params, logger):
        logger.info("entered", pid=os.getpid())
        if "hold" in query_params:  # with the interpreter, as a bad extension does
            ctypes.PyDLL(None).usleep(int(query_params["hold"]))
        if "gate" in query_params:
            wait_at(query_params["gate"])
        if "exit" in query_params:
            os._exit(int(query_params["exit"]))
        if "half" in query_params:
            os.write(1, b'{"timestamp":"half a li')
            os._exit(1)
        return {"pid": os.getpid()}

    def post_predict(self, query_params):
        if "hook" in query_params:
            wait_at(query_params["hook"])
            print("followed")
"""
)
SOURCE_ASYNC = (
    GATE
    + """
class P:
    async def predict(self, query_params):
        if "block" in query_params:
            print("blocks")
            wait_at(query_params["block"])
        try:
            if "gate" in query_params:
                await await_at(query_params["gate"])
        except asyncio.CancelledError:
            print("cancelled at", time.monotonic())
            raise
        return {"pid": os.getpid()}
"""
)


def several(source: str = SOURCE, **manifest: Any) -> Any:
    return running(source, processes_per_replica=PROCESSES, **manifest)


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with several(max_replica_concurrency=SLOTS) as replica:
        yield replica


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as pool:
        yield pool


def hold(
    replica: Replica, pool: ThreadPoolExecutor, path: str, number: int = 1
) -> list[Future[httpx.Response]]:
    """Send requests that stay until a gate is opened."""
    before = replica.metric(IN_FLIGHT)
    held = [pool.submit(replica.client.post, path) for _ in range(number)]
    replica.wait_for_metric(IN_FLIGHT, before + number)
    return held


def pids(replica: Replica) -> set[int]:
    return {child.pid for child in replica.worker.children()}


def pids_of(answers: list[Future[httpx.Response]]) -> list[int]:
    return [answer.result().json()["pid"] for answer in answers]


def test_the_public_process_has_no_predictor_and_the_others_share_the_work(
    replica: Replica, pool: ThreadPoolExecutor
) -> None:
    held = hold(replica, pool, "/?gate=share", PROCESSES)
    replica.open_gate("share")

    assert set(pids_of(held)) == pids(replica)
    assert len(pids(replica)) == PROCESSES
    assert replica.metric("cortex_predictors") == PROCESSES


@pytest.mark.parametrize("threads", [1, 3])
def test_takes_as_many_as_it_may_whatever_there_are_to_run_them(
    pool: ThreadPoolExecutor, threads: int
) -> None:
    with several(max_replica_concurrency=SLOTS, threads_per_process=threads) as replica:
        held = hold(replica, pool, "/?gate=exact", SLOTS)

        began = time.monotonic()
        refused = [replica.client.post("/") for _ in range(5)]
        took = time.monotonic() - began
        running_now = len(replica.log(event="entered"))
        replica.open_gate("exact")

        assert {answer.status_code for answer in refused} == {503}
        assert took < 0.5
        assert running_now == min(SLOTS, PROCESSES * threads)
        assert {answer.result().status_code for answer in held} == {200}
        assert replica.metric(IN_FLIGHT) == 0


def test_refusals_and_health_are_immediate_while_all_hold_the_interpreter(
    replica: Replica, pool: ThreadPoolExecutor
) -> None:
    held = hold(replica, pool, f"/?hold={1_500_000}", SLOTS)
    wait_for("both to be in it", lambda: len(replica.log(event="entered")) >= 2)

    began = time.monotonic()
    refused = replica.client.post("/")
    healthy = replica.admin.get("/healthz")
    ready = replica.admin.get("/readyz")
    took = time.monotonic() - began

    assert [refused.status_code, healthy.status_code, ready.status_code] == [
        503,
        200,
        200,
    ]
    assert took < 0.5
    assert {answer.result().status_code for answer in held} == {200}


def test_those_that_wait_come_in_order_and_go_to_whoever_is_free(
    pool: ThreadPoolExecutor,
) -> None:
    with several() as replica:
        stuck, *_ = hold(replica, pool, "/?gate=stuck")
        first, *_ = hold(replica, pool, "/?gate=first")
        waiting = []
        for number in range(10):
            headers = {"x-request-id": f"w{number}"}
            sent = pool.submit(replica.client.post, "/", headers=headers)
            replica.wait_for_metric(IN_FLIGHT, 3 + number)
            waiting.append(sent)
        replica.open_gate("first")

        others = pids_of(waiting)
        entered = [line["request_id"] for line in replica.log(event="entered")]
        replica.open_gate("stuck")

        assert set(others) == {first.result().json()["pid"]}
        assert entered[2:] == [f"w{number}" for number in range(10)]
        assert stuck.result().json()["pid"] not in others


def test_one_that_waits_is_taken_back_when_its_client_leaves(
    replica: Replica, pool: ThreadPoolExecutor
) -> None:
    held = hold(replica, pool, "/?gate=busy", PROCESSES)
    with replica.connect() as connection:
        connection.sendall(request_bytes(b"", "x-request-id: gone"))
        replica.wait_for_metric(IN_FLIGHT, PROCESSES + 1)
    replica.wait_for_metric(IN_FLIGHT, PROCESSES)
    replica.open_gate("busy")

    assert {answer.result().status_code for answer in held} == {200}
    replica.client.post("/", headers={"x-request-id": "later"})
    assert replica.logged(event="entered", request_id="later")
    assert not replica.log(event="entered", request_id="gone")
    assert replica.metric("cortex_requests_total", code="499") >= 1


def test_a_process_whose_call_nobody_waits_for_gets_no_other_until_it_is_through(
    pool: ThreadPoolExecutor,
) -> None:
    with several() as replica:
        with replica.connect() as connection:
            connection.sendall(request_bytes(b"", path="/?gate=left"))
            replica.logged(event="entered")
        replica.wait_for_metric(IN_FLIGHT, 0)

        answers = [replica.client.post("/").json()["pid"] for _ in range(4)]
        assert len(set(answers)) == 1
        replica.open_gate("left")
        wait_for(
            "both to be free",
            lambda: len(set(pids_of(hold_pair(replica, pool)))) == PROCESSES,
        )


def hold_pair(replica: Replica, pool: ThreadPoolExecutor) -> list[Future[Any]]:
    return [pool.submit(replica.client.post, "/?hold=100000") for _ in range(2)]


def test_a_coroutine_is_cancelled_a_moment_after_its_client_has_left() -> None:
    with several(SOURCE_ASYNC) as replica:
        for number in range(5):
            name = f"x-request-id: left-{number}"
            with replica.connect() as connection:
                connection.sendall(request_bytes(b"", name, path="/?gate=never"))
                replica.wait_for_metric(IN_FLIGHT, 1)
                left = time.monotonic()
            replica.wait_for_metric(IN_FLIGHT, 0)
            (event,) = wait_for(
                "the end of it", lambda number=number: cancelled(replica, number)
            )

            assert float(event.split()[-1]) - left < 0.1


def cancelled(replica: Replica, number: int) -> list[str]:
    events = [line["event"] for line in replica.log(request_id=f"left-{number}")]
    return [event for event in events if event.startswith("cancelled at")]


def test_coroutines_share_the_processes_and_are_many_at_a_time(
    pool: ThreadPoolExecutor,
) -> None:
    with several(SOURCE_ASYNC, max_replica_concurrency=10) as replica:
        held = hold(replica, pool, "/?gate=many", 10)
        assert replica.client.post("/").status_code == 503
        replica.open_gate("many")

        assert sorted(map(pids_of(held).count, pids(replica))) == [5, 5]


def test_time_is_up_while_every_process_is_stuck(pool: ThreadPoolExecutor) -> None:
    with several(SOURCE_ASYNC, timeout=1) as replica:
        held = [pool.submit(replica.client.post, "/?block=stuck") for _ in range(2)]
        wait_for("both to block", lambda: len(replica.log(event="blocks")) == 2)

        late = replica.client.post("/")
        replica.open_gate("stuck")

        assert late.status_code == 504
        assert {answer.result().status_code for answer in held} == {504}
        assert replica.client.post("/").status_code == 200
        assert replica.metric(IN_FLIGHT) == 0


def test_a_killed_process_is_replaced_and_only_what_it_had_is_lost(
    pool: ThreadPoolExecutor,
) -> None:
    with several() as replica:
        held = hold(replica, pool, "/?gate=held", PROCESSES)
        waiting = hold(replica, pool, "/")
        one, _ = pids(replica)
        os.kill(one, signal.SIGKILL)

        lost = wait_for(
            "an answer", lambda: [answer for answer in held if answer.done()]
        )
        assert [answer.result().status_code for answer in lost] == [502]
        problem = lost[0].result().json()
        assert "ended before it had answered" in problem["detail"]
        assert lost[0].result().headers["content-type"] == "application/problem+json"
        assert waiting[0].result().status_code == 200  # by the new one
        replica.open_gate("held")
        assert sorted(answer.result().status_code for answer in held) == [200, 502]
        assert replica.metric(LOST) == 1
        assert replica.metric(RESTARTS) == 1
        assert replica.metric(IN_FLIGHT) == 0
        assert replica.logged(level="error", request_id=problem["request_id"])
        event = (
            "predictor process was killed by SIGKILL (out of memory?), starting another"
        )
        assert "request_id" not in replica.logged(level="error", event=event)
        assert one not in pids(replica)
        assert len(pids(replica)) == PROCESSES


def test_what_an_idempotent_api_had_runs_again_but_kills_no_third_process(
    pool: ThreadPoolExecutor,
) -> None:
    with several(idempotent=True) as replica:
        (held,) = hold(replica, pool, "/?gate=again")
        first = replica.logged(event="entered")["pid"]
        os.kill(first, signal.SIGKILL)
        wait_for("another try", lambda: len(replica.log(event="entered")) == 2)
        replica.open_gate("again")

        assert held.result().json()["pid"] != first
        assert replica.metric(LOST) == 0
        replica.wait_for_metric(RESTARTS, 1)

        assert replica.client.post("/?exit=1").status_code == 502
        assert replica.metric(LOST) == 1
        replica.wait_for_metric(RESTARTS, 3)


def test_a_replica_without_any_process_waits_for_the_next() -> None:
    with several() as replica, ThreadPoolExecutor(1) as pool:
        replica.open_gate("broken")
        for pid in pids(replica):
            os.kill(pid, signal.SIGKILL)
        wait_for("no process", lambda: not replica.admin.get("/readyz").is_success)
        waiting = pool.submit(replica.client.post, "/")
        line = replica.logged(level="error", event=BROKEN)
        assert 'File "app.py"' in line["exception"]
        assert replica.process.poll() is None
        (replica.folder / "root" / "broken").unlink()

        assert waiting.result().status_code == 200
        replica.wait_until_ready()
        assert replica.metric(LOST) == 0


BROKEN = "`P.__init__` raised ValueError: broken; trying again"


def test_half_a_line_of_a_dead_process_does_not_spoil_the_next_line() -> None:
    with several() as replica:
        assert replica.client.post("/?half=1").status_code == 502
        replica.client.post("/")

        assert replica.logged(event='{"timestamp":"half a li', stream="raw")


def test_long_lines_of_processes_side_by_side_stay_whole(
    pool: ThreadPoolExecutor,
) -> None:
    source = """
class P:
    def predict(self, payload):
        print(str(payload) * 50_000)
"""
    with several(source) as replica:
        list(pool.map(lambda number: replica.client.post("/", json=number), range(40)))

        events = sorted(line["event"] for line in replica.log())
        assert events == sorted(str(number) * 50_000 for number in range(40))


def test_hooks_of_a_dead_process_are_dropped_and_all_others_end() -> None:
    with several() as replica:
        for _ in range(3):
            assert replica.client.post("/?hook=never").status_code == 200
        replica.wait_for_metric(HOOKS, 3, outcome="accepted")
        for pid in pids(replica):
            os.kill(pid, signal.SIGKILL)

        replica.wait_for_metric(HOOKS, 3, outcome="dropped")
        replica.client.post("/")
        replica.wait_for_metric(HOOKS, 1, outcome="run")


def test_hooks_are_run_to_their_end_before_the_replica_goes() -> None:
    with several() as replica:
        replica.client.post("/?hook=hook")
        replica.wait_for_metric(HOOKS, 1, outcome="accepted")
        children = [psutil.Process(pid) for pid in pids(replica)]
        replica.terminate()
        replica.logged(event="draining")
        assert not replica.log(event="followed")
        replica.open_gate("hook")

        assert replica.wait() == 0
        assert replica.log(event="followed")
        assert not any(child.is_running() for child in children)


def test_one_that_cannot_start_fails_the_replica_with_its_message() -> None:
    source = "class P:\n    def __init__(self): open('not-there')\n"
    source += "    def predict(self): pass\n"
    with starting(source, processes_per_replica=3) as replica:
        assert replica.wait() == 1

        message = replica.failure()["message"]
        assert message.startswith("`P.__init__` raised FileNotFoundError")
        assert 'File "app.py", line 2' in replica.failure()["traceback"]
        assert len(replica.log()) == 1


def test_one_that_dies_while_it_starts_fails_the_replica() -> None:
    source = "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n"
    with starting(source, processes_per_replica=2) as replica:
        assert replica.wait() == 1

        message = "a predictor process was killed by SIGSEGV while it started"
        assert replica.failure()["message"] == message


def test_a_replica_is_ready_when_all_its_processes_are() -> None:
    source = (
        GATE
        + """
class P:
    def __init__(self):
        try:
            pathlib.Path("first").touch(exist_ok=False)
        except FileExistsError:
            print("the second waits")
            wait_at("gate")
    def predict(self):
        pass
"""
    )
    with starting(source, processes_per_replica=2) as replica:
        replica.logged(event="the second waits")
        assert replica.admin.get("/readyz").status_code == 503
        replica.open_gate("gate")
        replica.wait_until_ready()

        assert replica.metric("cortex_predictors") == 2


def test_no_process_outlives_a_worker_or_a_supervisor_that_is_killed() -> None:
    with several() as replica:
        children = [psutil.Process(pid) for pid in pids(replica)]
        worker = replica.worker
        replica.process.kill()
        replica.wait()
        worker.kill()

        for child in children:
            wait_for_end(child)


@pytest.mark.parametrize("size", [0, 1, 1 << 16, (1 << 20) + 1, 30 << 20])
def test_bodies_of_any_size_arrive_whole_there_and_back(
    echo: Replica, size: int
) -> None:
    body = (b"0123456789abc" * (size // 13 + 1))[:size]

    for _ in range(2):
        assert echo.client.post("/", content=body).content == body


@pytest.fixture(scope="module")
def echo() -> Iterator[Replica]:
    source = "class P:\n    def predict(self, payload: bytes): return payload\n"
    with several(source) as replica:
        yield replica


def test_all_of_a_request_and_of_a_response_get_through() -> None:
    source = """
from sanic.response import HTTPResponse
class P:
    def predict(self, headers, query_params, request_id):
        fields = {"x-given": headers["x-given"], "x-id": request_id}
        return HTTPResponse(query_params["a"], 207, fields, "text/csv")
"""
    with several(source) as replica:
        headers = {"x-given": "one, two", "x-request-id": "mine"}
        response = replica.client.post("/?a=%C3%A4", headers=headers)

        assert (response.status_code, response.text) == (207, "\xe4")
        assert response.headers["content-type"] == "text/csv"
        assert response.headers["x-given"] == "one, two"
        assert response.headers["x-id"] == response.headers["x-request-id"] == "mine"


def test_the_public_address_knows_what_the_processes_take_and_answer() -> None:
    source = "class P:\n    def predict(self, payload: list[float]) -> int: return 1\n"
    with several(source) as replica:
        summary = replica.client.get("/").json()
        document = replica.client.get("/openapi.json").json()
        model = replica.client.get("/v2/models/test").json()
        tensor = {"name": "payload", "shape": [2], "datatype": "FP64", "data": [1, 2]}
        inferred = replica.client.post(
            "/v2/models/test/infer", json={"inputs": [tensor]}
        )

        assert summary["payload"] == "list[float]"
        assert document["paths"]["/"]["post"]["requestBody"]
        assert model["inputs"][0]["datatype"] == "FP64"
        assert inferred.json()["outputs"][0]["data"] == [1]


def test_a_process_that_runs_a_batch_is_given_the_whole_next_one(
    pool: ThreadPoolExecutor,
) -> None:
    source = (
        GATE
        + """
class P:
    def predict_batch(self, payload: list[int]):
        print("entered")
        wait_at("gate")
        return [len(payload)] * len(payload)
"""
    )
    batching = {"max_batch_size": 3, "batch_interval": 0.01}
    with several(source, batching=batching) as replica:
        sent = [pool.submit(replica.client.post, "/", json=n) for n in range(2)]
        wait_for("both to be in it", lambda: len(replica.log(event="entered")) == 2)
        sent += [pool.submit(replica.client.post, "/", json=n) for n in range(6)]
        replica.wait_for_metric(IN_FLIGHT, 8)
        replica.open_gate("gate")

        sizes = [answer.result().json() for answer in sent]
        assert sizes == [1, 1, 3, 3, 3, 3, 3, 3]
