"""What is set for hooks holds in a replica."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from integration.server.replica import GATE, Replica, running, starting

from cortex_server.manifest import PostPredict, PredictorModule, PredictorPickle

HOOKS = "cortex_post_predict_total"
DURATIONS = "cortex_post_predict_duration_seconds_count"
SOURCE = (
    GATE
    + """
import threading

TRIES = {}

class P:
    def predict(self, query_params):
        return dict(query_params)

    def post_predict(self, response):
        print("method")
        if response.get("gate"):
            wait_at(response["gate"])

def fails_twice(response, request_id):
    TRIES[request_id] = TRIES.get(request_id, 0) + 1
    if response.get("flaky") and TRIES[request_id] < 3:
        raise ValueError(f"not yet: {TRIES[request_id]}")
    print(f"tries: {TRIES[request_id]}")

async def slow(response, config):
    if response.get("slow"):
        await asyncio.sleep(60)
    print(f"config: {config}")

def stuck(response):
    if response.get("stuck"):
        wait_at(response["stuck"])

class Plain:
    def predict(self, query_params):
        return dict(query_params)
"""
)


def hooks(*names: str, **options: Any) -> PostPredict:
    references = tuple(PredictorModule(module="app", qualname=name) for name in names)
    return PostPredict(hooks=references, **options)


def outcomes(replica: Replica) -> tuple[int, ...]:
    """How many were accepted, run, failed and dropped."""
    return tuple(
        int(replica.metric(HOOKS, outcome=outcome))
        for outcome in ("accepted", "run", "failed", "dropped")
    )


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    options = hooks("fails_twice", "slow", "stuck", timeout=0.4, retries=2)
    with running(SOURCE, config={"n": 1}, post_predict=options) as replica:
        yield replica


def test_functions_run_beside_the_method_each_with_what_it_asks_for(
    replica: Replica,
) -> None:
    before = outcomes(replica)
    replica.client.post("/", headers={"x-request-id": "all"})

    for event in ("method", "tries: 1", "config: {'n': 1}"):
        assert replica.logged(event=event, request_id="all")
    replica.wait_for_metric(HOOKS, before[1] + 4, outcome="run")
    assert outcomes(replica) == (before[0] + 4, before[1] + 4, *before[2:])


def test_what_fails_is_tried_again_after_a_pause(replica: Replica) -> None:
    run, tries = outcomes(replica)[1], replica.metric(DURATIONS)
    retries = replica.metric("cortex_post_predict_retries_total")

    replica.client.post("/?flaky=1", headers={"x-request-id": "flaky"})

    assert replica.logged(event="tries: 3", request_id="flaky")
    first, second = replica.log(
        event="post_predict failed, trying again", request_id="flaky"
    )
    assert (first["hook"], first["error"]) == ("fails_twice", "ValueError: not yet: 1")
    assert 0.125 <= first["seconds"] <= 0.25 <= second["seconds"] <= 0.5
    replica.wait_for_metric(HOOKS, run + 4, outcome="run")
    assert replica.metric("cortex_post_predict_retries_total") == retries + 2
    assert replica.metric(DURATIONS) == tries + 6
    assert replica.metric("cortex_post_predict_queued") == 0


@pytest.mark.parametrize(("how", "hook"), [("slow=1", "slow"), ("stuck=g1", "stuck")])
def test_what_takes_too_long_has_failed(replica: Replica, how: str, hook: str) -> None:
    failed = outcomes(replica)[2]

    replica.client.post(f"/?{how}", headers={"x-request-id": how})

    line = replica.logged(event="post_predict timed out", request_id=how)
    assert (line["hook"], line["reason"]) == (hook, "took more than 0.4 seconds")
    replica.wait_for_metric(HOOKS, failed + 1, outcome="failed")
    replica.open_gate(how.partition("=")[2])


def test_with_wait_callers_are_refused_when_hooks_do_not_keep_up() -> None:
    options = hooks(workers=1, queue=1, when_full="wait")
    with running(SOURCE, max_replica_concurrency=2, post_predict=options) as replica:
        for _ in range(4):  # one runs, one is queued, two keep the places of requests
            assert replica.client.post("/?gate=gate").status_code == 200
        refused = replica.client.post("/")

        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert replica.metric("cortex_in_flight_requests") == 2
        assert replica.metric("cortex_post_predict_queued") == 3
        replica.open_gate("gate")
        replica.wait_for_metric("cortex_in_flight_requests", 0)
        assert replica.client.post("/").status_code == 200
        replica.wait_for_metric(HOOKS, 5, outcome="run")
        assert outcomes(replica) == (5, 5, 0, 0)


@pytest.mark.parametrize("when_full", ["drop_new", "drop_oldest"])
def test_what_finds_no_room_is_dropped_and_told(when_full: str) -> None:
    options = hooks(workers=1, queue=2, when_full=when_full)
    with running(SOURCE, post_predict=options) as replica:
        for _ in range(8):
            assert replica.client.post("/?gate=gate").status_code == 200
        assert outcomes(replica) == (8, 0, 0, 5)
        replica.open_gate("gate")
        replica.wait_for_metric(HOOKS, 3, outcome="run")

        line = replica.logged(event="post_predict calls dropped")
        assert (line["number"], line["reason"]) == (5, "the queue was full")
        assert "request_id" not in line


def test_hooks_that_take_three_seconds_delay_no_call() -> None:
    source = """
import time
class P:
    def predict(self):
        return 1
    def post_predict(self):
        time.sleep(3)
"""
    with running(source, max_replica_concurrency=1) as replica:
        took = []
        for _ in range(6):
            began = time.monotonic()
            assert replica.client.post("/").status_code == 200
            took.append(time.monotonic() - began)

        assert max(took) < 1  # the second one would have waited for three
        began = time.monotonic()
        replica.terminate()
        assert replica.wait() == 0
        # Four at a time: the last two begin when the first have ended.
        assert 3 < time.monotonic() - began < 20
        assert not replica.log(event="post_predict calls dropped")


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_what_the_drain_has_no_time_for_is_dropped_and_told(kind: str) -> None:
    wait = "await asyncio.sleep(60)" if "async" in kind else "time.sleep(60)"
    source = f"""
import asyncio, time
class P:
    def predict(self, query_params):
        return dict(query_params)
    {kind} post_predict(self, response):
        if "long" in response:
            {wait}
        print("over")
"""
    options = PostPredict(workers=2)
    with running(source, hook_drain=0.5, post_predict=options) as replica:
        for path in ("/", "/?long", "/?long", "/?long"):
            replica.client.post(path)
        replica.wait_for_metric(HOOKS, 1, outcome="run")
        replica.terminate()

        assert replica.wait() == 0
        line = replica.logged(event="post_predict calls dropped")
        assert (line["number"], line["reason"]) == (3, "the time to drain was over")
        assert len(replica.log(event="over")) == 1


def test_hooks_that_a_killed_worker_had_accepted_count_as_dropped() -> None:
    with running(SOURCE, post_predict=PostPredict(workers=1)) as replica:
        for _ in range(3):
            replica.client.post("/?gate=never")
        replica.wait_for_metric(HOOKS, 3, outcome="accepted")
        replica.worker.kill()
        replica.wait_for_metric("cortex_ready", 0)
        replica.wait_for_metric("cortex_ready", 1)

        assert outcomes(replica) == (3, 0, 0, 3)
        assert replica.metric("cortex_post_predict_queued") == 0


def test_functions_from_a_notebook_follow_a_class_from_it(tmp_path: Path) -> None:
    cell: dict[str, Any] = {"__name__": "__main__"}
    source = """
SEEN = []
class P:
    def predict(self):
        SEEN.append("predict")
        return 1
def record(response):
    print(f"seen: {SEEN} {response}")
"""
    exec(compile(source, "<ipython-input-7>", "exec"), cell)
    path = tmp_path / "class.pkl"
    with path.open("wb") as file:
        pickler = cloudpickle.Pickler(file)
        for name in ("P", "record"):
            pickler.dump(cell[name])
    hook = PredictorPickle(identity="y", qualname="record")
    with running(
        {"notes.txt": ""},
        ("--class", str(path)),
        predictor=PredictorPickle(identity="x", qualname="P"),
        post_predict=PostPredict(hooks=(hook,)),
    ) as replica:
        replica.client.post("/")

        assert replica.logged(event="seen: ['predict'] 1")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (hooks("P"), "a hook must be a function (`def` or `async def`), got <class"),
        (hooks("nothing"), "`app` defines no `nothing`"),
        (hooks("wait_at"), "`wait_at` has an unknown argument `gate`; "),
        (
            PostPredict(workers=2),
            "`SyncAPI.post_predict` has options but no hooks, and predictor `Plain`",
        ),
    ],
)
def test_hooks_that_cannot_be_called_end_the_start(
    options: PostPredict, message: str
) -> None:
    predictor = PredictorModule(module="app", qualname="Plain")
    with starting(SOURCE, predictor=predictor, post_predict=options) as replica:
        assert replica.wait() == 1

        assert replica.failure()["message"].startswith(message)


def test_many_callers_at_once_lose_no_hook() -> None:
    options = PostPredict(workers=3, queue=5, when_full="drop_oldest")
    with running(SOURCE, post_predict=options) as replica:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: replica.client.post("/"), range(200)))

        assert {answer.status_code for answer in answers} == {200}
        replica.terminate()
        assert replica.wait() == 0
        run = len(replica.log(event="method"))
        dropped = sum(
            line["number"] for line in replica.log(event="post_predict calls dropped")
        )
        assert run + dropped == 200
