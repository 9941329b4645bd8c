import time
from collections.abc import Iterator

import pytest
from integration.server.replica import GATE, Replica, running, wait_for

SOURCE = (
    GATE
    + """
class P:
    def predict(self, query_params):
        return dict(query_params)

    def post_predict(self, response):
        if "gate" in response:
            wait_at(response["gate"])
        match response.get("fail"):
            case "exception":
                raise ValueError("hook")
            case "exit":
                raise SystemExit(1)
        print("followed")
"""
)
SOURCE_ASYNC = SOURCE.replace("    def p", "    async def p").replace(
    "wait_at(r", "await await_at(r"
)
HOOKS = "cortex_post_predict_total"


@pytest.fixture(scope="module", params=[1, 2], ids=["one", "two"])
def processes(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module", params=[SOURCE, SOURCE_ASYNC], ids=["def", "async"])
def replica(request: pytest.FixtureRequest, processes: int) -> Iterator[Replica]:
    limits = {"max_replica_concurrency": 1, "processes_per_replica": processes}
    with running(request.param, **limits) as replica:
        yield replica


def test_the_response_and_the_next_one_do_not_wait_for_hooks(replica: Replica) -> None:
    run = replica.metric(HOOKS, outcome="run")
    began = time.monotonic()
    for _ in range(10):
        assert replica.client.post("/?gate=hooks").json() == {"gate": "hooks"}
    took = time.monotonic() - began

    assert took < 5  # the gate is open after 20 seconds, or now
    assert replica.metric("cortex_in_flight_requests") == 0
    assert replica.metric(HOOKS, outcome="run") == run
    replica.open_gate("hooks")
    replica.wait_for_metric(HOOKS, run + 10, outcome="run")


def test_a_hook_logs_with_the_id_of_its_request(replica: Replica) -> None:
    replica.client.post("/", headers={"x-request-id": "mine"})

    assert replica.logged(event="followed", request_id="mine")


@pytest.mark.parametrize("how", ["exception", "exit"])
def test_a_hook_that_fails_is_counted_and_logged_and_does_not_matter(
    replica: Replica, how: str
) -> None:
    failed = replica.metric(HOOKS, outcome="failed")
    headers = {"x-request-id": f"fails-{how}"}

    response = replica.client.post(f"/?fail={how}", headers=headers)

    assert response.status_code == 200
    replica.wait_for_metric(HOOKS, failed + 1, outcome="failed")
    line = replica.logged(event="post_predict failed", request_id=f"fails-{how}")
    assert "cortex_server" not in line["exception"]
    assert replica.client.post("/").status_code == 200


def test_no_hook_follows_an_error_or_a_client_that_left(replica: Replica) -> None:
    accepted = replica.metric(HOOKS, outcome="accepted")

    assert replica.client.put("/").status_code == 405

    assert replica.metric(HOOKS, outcome="accepted") == accepted


def test_every_hook_that_was_accepted_ends_one_way(replica: Replica) -> None:
    for path in ("/", "/?fail=exception"):
        replica.client.post(path)

    def all_are_over() -> bool:
        ended = [replica.metric(HOOKS, outcome=o) for o in ("run", "failed", "dropped")]
        return sum(ended) == replica.metric(HOOKS, outcome="accepted") > 0

    wait_for("all hooks to be over", all_are_over)
