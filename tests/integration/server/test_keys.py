from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.server.replica import (
    Replica,
    receive_response,
    request_bytes,
    running,
    wait_for,
)

KEY, OTHER, WRONG = (f"{name}-0123456789abcdef" for name in ("key", "other", "wrong"))
SOURCE = """
class P:
    def predict(self, payload, headers, logger):
        logger.info("called", headers=dict(headers))
        return {"saw": sorted(headers)}
"""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text(f"# of the app\n{KEY}\n\n{OTHER}\n")
    return path


@pytest.fixture(scope="module")
def replica(keys: Path) -> Iterator[Replica]:
    with running(SOURCE, ("--keys", str(keys), "--endpoint", "/iris")) as replica:
        del replica.client.headers["connection"]  # it would keep all off the short way
        yield replica


@pytest.mark.parametrize("key", [KEY, OTHER])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Bearer {}"),
        ("authorization", "bearer  {}"),
        ("X-API-Key", "{}"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/iris", "//"])
def test_a_call_with_a_key_is_answered_on_either_way(
    replica: Replica, key: str, name: str, value: str, path: str
) -> None:
    answer = replica.client.post(path, json=[1], headers={name: value.format(key)})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": f"Bearer {WRONG}"},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": KEY},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {KEY}{KEY}"},
        {"Authorization": f"Bearer {KEY[:-1]}"},
        {"X-API-Key": WRONG},
        {"X-API-Key": ""},
        {"X-API-Key": "x" * 5000},
        {"X-API-Key": "# of the app"},
        {"Cookie": f"key={KEY}"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"),
        ("POST", "/iris"),
        ("POST", "//"),
        ("GET", "/"),
        ("GET", "/iris"),
        ("HEAD", "/"),
        ("OPTIONS", "/"),
        ("PUT", "/"),
        ("GET", "/openapi.json"),
        ("GET", "/v2"),
        ("GET", "/v2/health/live"),
        ("POST", "/v2/models/test/infer"),
        ("GET", "/nowhere"),
    ],
)
def test_a_call_without_a_key_is_turned_away_wherever_it_goes(
    replica: Replica, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = replica.client.request(method, path, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer ")
    if method != "HEAD":
        said = answer.json()["error" if path.startswith("/v2") else "detail"]
        assert "X-API-Key" in said


def test_what_is_turned_away_is_counted_and_is_no_prediction(replica: Replica) -> None:
    turned_away = replica.metric("cortex_requests_total", code="401")
    accepted = replica.metric("cortex_request_duration_seconds_count")
    calls = len(replica.log(event="called"))

    for _ in range(3):
        replica.client.post("/", json=[1])

    assert replica.metric("cortex_requests_total", code="401") == turned_away + 3
    assert replica.metric("cortex_request_duration_seconds_count") == accepted
    assert len(replica.log(event="called")) == calls


def test_a_connection_is_used_on_after_a_call_without_a_key(replica: Replica) -> None:
    with replica.connect() as connection:
        connection.sendall(request_bytes(b"[1]"))
        refused, _, _ = receive_response(connection)
        connection.sendall(request_bytes(b"[1]", f"x-api-key: {KEY}"))
        admitted, _, _ = receive_response(connection)
        connection.sendall(request_bytes(b"[1]"))
        again, _, _ = receive_response(connection)

    assert (refused, admitted, again) == (401, 200, 401)


def test_the_answer_comes_before_a_body_that_nobody_will_read(replica: Replica) -> None:
    with replica.connect() as connection:
        head = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 50000000\r\n\r\n"
        connection.sendall(head)

        assert receive_response(connection)[0] == 401


def test_the_key_never_gets_to_the_predictor_or_into_the_log(replica: Replica) -> None:
    for headers in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}):
        saw = replica.client.post("/", json=[1], headers=headers).json()["saw"]
        saw += replica.client.post("//", json=[1], headers=headers).json()["saw"]
        assert not {"authorization", "x-api-key"} & set(saw)
    replica.client.post("/", headers={"X-API-Key": WRONG})
    replica.logged(event="called")

    assert KEY not in replica.log_text + replica.boot_log
    assert WRONG not in replica.log_text + replica.boot_log


def test_health_and_metrics_need_no_key(replica: Replica) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/in-flight/10"):
        assert replica.admin.get(path).is_success


def status(replica: Replica, key: str) -> int:
    return replica.client.post("/", headers={"x-api-key": key}).status_code


def test_keys_change_under_a_replica_that_serves(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(KEY)
    with running(SOURCE, ("--keys", str(path))) as replica:
        worker = replica.worker.pid
        assert (status(replica, KEY), status(replica, OTHER)) == (200, 401)

        path.write_text(f"{KEY}\n{OTHER}\n")
        wait_for("the new key", lambda: status(replica, OTHER) == 200, 0.5)
        path.write_text(f"{OTHER}\n")
        wait_for("the old key to end", lambda: status(replica, KEY) == 401, 10)

        path.write_text("short\n")
        told = replica.logged(level="error")["event"]
        assert "line 1 is no API key" in told
        assert "short" not in told
        assert (status(replica, KEY), status(replica, OTHER)) == (401, 200)

        path.unlink()
        wait_for("nobody to get in", lambda: status(replica, OTHER) == 401, 10)
        path.write_text(KEY)
        wait_for("the key to be back", lambda: status(replica, KEY) == 200, 10)

        assert replica.worker.pid == worker


@pytest.mark.parametrize("content", [None, "", "# none yet\n\n"])
def test_without_a_key_nobody_gets_in_and_the_log_says_so_once(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "keys"
    if content is not None:
        path.write_text(content)
    with running(SOURCE, ("--keys", str(path))) as replica:
        assert status(replica, "") == 401
        assert status(replica, KEY) == 401
        assert len(replica.log(level="error")) == 1
        (told,) = replica.log(level="error")
        assert told["event"] == f"nobody can call this API: there is no key in {path}"


def test_without_a_file_of_keys_everybody_may_call() -> None:
    with running(SOURCE) as replica:
        answer = replica.client.post("/", headers={"x-api-key": WRONG})

        assert "x-api-key" in answer.json()["saw"]


def test_only_the_page_is_open_that_tells_nothing_of_the_api(replica: Replica) -> None:
    for path in ("/docs", "/iris/docs"):
        page = replica.client.get(path)
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert b"saw" not in page.content
        for method in ("POST", "PUT", "OPTIONS"):
            assert replica.client.request(method, path).status_code == 401


def test_an_api_at_the_address_of_the_page_asks_for_a_key(keys: Path) -> None:
    with running(SOURCE, ("--keys", str(keys), "--endpoint", "/docs")) as replica:
        for method in ("GET", "POST"):
            for path in ("/docs", "/docs/"):
                assert replica.client.request(method, path).status_code == 401
        answer = replica.client.post("/docs", json=[1], headers={"x-api-key": KEY})
        assert answer.status_code == 200
