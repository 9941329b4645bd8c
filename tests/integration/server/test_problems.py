import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from integration.server.replica import (
    GATE,
    Replica,
    receive_response,
    request_bytes,
    running,
)

SOURCE = (
    GATE
    + """
class Mine(BaseException):
    pass

async def cancel():
    task = asyncio.ensure_future(asyncio.sleep(60))
    task.cancel()
    await task

class P:
    async def predict(self, payload: list[int] | None, query_params):
        match query_params.get("do"):
            case "fail":
                raise ValueError("a secret")
            case "chain":
                try:
                    {}["first"]
                except KeyError as error:
                    raise RuntimeError("second") from error
            case "exit":
                raise SystemExit(3)
            case "interrupt":
                raise KeyboardInterrupt
            case "base":
                raise Mine("panic")
            case "cancel":
                await cancel()
            case "recurse":
                self.recurse()
            case "slow":
                await asyncio.sleep(20)
            case "rude":
                try:
                    await asyncio.sleep(20)
                except asyncio.CancelledError:
                    raise ValueError("not now") from None
            case "gate":
                await await_at("gate")
        return payload

    def recurse(self):
        self.recurse()
"""
)
TIMEOUT = 0.5
SHAPE = ["type", "title", "status", "detail", "request_id"]


@pytest.fixture(scope="module", params=[1, 2], ids=["one process", "two"])
def replica(request: pytest.FixtureRequest) -> Iterator[Replica]:
    with running(
        SOURCE,
        timeout=TIMEOUT,
        max_replica_concurrency=2,
        processes_per_replica=request.param,
    ) as replica:
        yield replica


def check_problem(response: httpx.Response, status: int) -> dict[str, object]:
    body: dict[str, object] = response.json()
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"] == body["request_id"] != ""
    assert [key for key in body if key != "errors"] == SHAPE
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["title"]
    assert str(body["detail"]).count("\n") == 0
    return body


def test_no_such_path(replica: Replica) -> None:
    problem = check_problem(replica.client.post("/nope/%ff\u00e9"), 404)

    assert "predictions are POST requests to /" in str(problem["detail"])


def test_no_such_method(replica: Replica) -> None:
    response = replica.client.put("/")

    check_problem(response, 405)
    assert "POST" in response.headers["allow"]


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(
    replica: Replica,
) -> None:
    with replica.connect() as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 104857601\r\n\r\n"
        )
        status, headers, body = receive_response(connection)

    response = httpx.Response(status, headers=headers, content=body)
    problem = check_problem(response, 413)
    assert "larger than 100 MiB" in str(problem["detail"])


@pytest.mark.parametrize(
    "headers",
    [
        {"x-mine": "a" * 20_000},
        {"x-mine": "a" * 16_300},
        {f"x-{number}": "" for number in range(101)},
    ],
)
def test_headers_that_are_too_large_or_too_many(
    replica: Replica, headers: dict[str, str]
) -> None:
    response = replica.client.post("/", json=[], headers=headers)

    problem = check_problem(response, 431)
    assert "header fields" in str(problem["detail"])


@pytest.mark.parametrize("length", [8_192, 20_000])
def test_a_query_that_is_too_long(replica: Replica, length: int) -> None:
    for method in ("GET", "POST"):
        response = replica.client.request(method, f"/?{'a' * length}")

        problem = check_problem(response, 414)
        assert "longer than 8192 bytes" in str(problem["detail"])


def test_a_query_and_headers_that_just_fit(replica: Replica) -> None:
    replica.client.get(f"/?{'a' * 8_190}").raise_for_status()
    replica.client.get("/", headers={"x-mine": "a" * 16_000}).raise_for_status()
    replica.client.get("/", headers={f"x-{n}": "" for n in range(90)})


def test_json_that_is_declared_to_be_a_form(replica: Replica) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}

    response = replica.client.post("/", content=b"[1]", headers=headers)

    problem = check_problem(response, 415)
    assert "set the content-type header" in str(problem["detail"])


def test_broken_json(replica: Replica) -> None:
    headers = {"content-type": "application/json"}

    response = replica.client.post("/", content=b"[1,", headers=headers)

    check_problem(response, 400)


def test_a_wrong_type_is_told_by_place(replica: Replica) -> None:
    problem = check_problem(replica.client.post("/", json=[1, "x", 2.5]), 422)

    assert isinstance(problem["errors"], list)
    assert len(problem["errors"]) == 2
    assert str(problem["detail"]).endswith("and 1 more")


def test_broken_http(replica: Replica) -> None:
    with replica.connect() as connection:
        connection.sendall(b"POST / HTTP/7.0\r\n\r\n")
        status, headers, body = receive_response(connection)

    check_problem(httpx.Response(status, headers=headers, content=body), 400)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("fail", "ValueError: a secret"),
        ("exit", "SystemExit: 3"),
        ("interrupt", "KeyboardInterrupt"),
        ("base", "Mine: panic"),
        ("cancel", "CancelledError"),
        ("recurse", "RecursionError"),
    ],
)
def test_whatever_predict_raises_is_a_500_with_its_traceback_in_the_log_only(
    replica: Replica, how: str, told: str
) -> None:
    headers = {"x-request-id": f"raises-{how}"}

    response = replica.client.post(f"/?do={how}", json=[], headers=headers)

    check_problem(response, 500)
    assert told.partition(":")[0] not in response.text
    line = replica.logged(request_id=f"raises-{how}")
    assert (line["event"], line["level"]) == ("predict failed", "error")
    first, *_, last = line["exception"].splitlines()[1:]
    assert "app.py" in first
    assert told in last
    assert "cortex_server" not in line["exception"]


def test_a_traceback_shows_where_an_exception_came_from(replica: Replica) -> None:
    headers = {"x-request-id": "chained"}

    replica.client.post("/?do=chain", json=[], headers=headers)

    told = replica.logged(request_id="chained")["exception"]
    assert told.index("KeyError: 'first'") < told.index("RuntimeError: second")


@pytest.mark.parametrize("how", ["slow", "rude"])
def test_a_request_that_takes_too_long_is_a_504(replica: Replica, how: str) -> None:
    headers = {"x-request-id": f"late-{how}"}

    response = replica.client.post(f"/?do={how}", json=[], headers=headers)

    problem = check_problem(response, 504)
    assert problem["detail"] == "the prediction took more than 0.5 seconds"
    line = replica.logged(request_id=f"late-{how}")
    assert (line["event"], line["level"]) == ("request timed out", "error")


def test_a_full_replica_says_so_and_when_to_come_back(replica: Replica) -> None:
    with ThreadPoolExecutor(2) as pool:
        post = replica.client.post
        held = [pool.submit(post, "/?do=gate", json=[]) for _ in range(2)]
        replica.wait_for_metric("cortex_in_flight_requests", 2)
        refused = replica.client.post("/", json=[])
        replica.open_gate("gate")

    check_problem(refused, 503)
    assert refused.headers["retry-after"] == "1"
    assert {answer.result().status_code for answer in held} <= {200, 504}


def test_the_same_connection_serves_on_after_every_problem(replica: Replica) -> None:
    bodies = [b"[1,", b'["x"]', b"[1]"]
    kinds = ["content-type: application/json", "content-type: text/html"]
    expected = {b"[1,": 400, b'["x"]': 422, b"[1]": 200}
    with replica.connect() as connection:
        for body, kind in itertools.product(bodies, kinds):
            connection.sendall(request_bytes(body, kind))
            status, headers, _ = receive_response(connection)

            assert status == (expected[body] if "json" in kind else 415)
            assert headers["connection"] == "keep-alive"
