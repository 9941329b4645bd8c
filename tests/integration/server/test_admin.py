import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from integration.server.replica import GATE, Replica, running, starting, wait_for

BOUND = 0.5
SOURCE = (
    GATE
    + """
import ctypes

class P:
    def predict(self, query_params):
        if "hold" in query_params:
            pathlib.Path("holding").touch()
            ctypes.PyDLL(None).usleep(2_000_000)  # keeps the interpreter's lock
        if "gate" in query_params:
            wait_at(query_params["gate"])
        return 1
"""
)


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with running(SOURCE, threads_per_process=2) as replica:
        yield replica


def test_answers_at_once_while_predict_holds_the_interpreter(replica: Replica) -> None:
    replica.admin.get("/metrics")
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(replica.client.post, "/?hold=1")
        wait_for("predict", (replica.folder / "root" / "holding").exists)
        took = {}
        for path in ("/healthz", "/readyz", "/metrics", "/in-flight/60"):
            began = time.monotonic()
            assert replica.admin.get(path).status_code == 200
            took[path] = time.monotonic() - began
        still_held = not held.done()

    assert max(took.values()) < BOUND
    assert still_held
    assert held.result().status_code == 200


def test_the_mean_in_flight_follows_the_load(replica: Replica) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            pool.submit(replica.client.post, "/?gate=mean")
        replica.wait_for_metric("cortex_in_flight_requests", 2)
        wait_for("two in flight", lambda: mean(replica, 1) > 1.99)
        over_an_hour = mean(replica, 3600)
        replica.open_gate("mean")
    assert 0 < over_an_hour <= 2 * (time.monotonic() - began)
    wait_for("none in flight", lambda: mean(replica, 1) == 0)


def mean(replica: Replica, window: float) -> float:
    return float(replica.admin.get(f"/in-flight/{window}").json()["in_flight"])


def test_much_that_is_logged_does_not_shorten_the_memory_of_the_load() -> None:
    source = """
class P:
    def predict(self):
        for number in range(5000):
            print(number)
"""
    with running(source) as replica:
        replica.client.post("/")
        replica.logged(event="4999")
        before = mean(replica, 3600)

        assert before > 0


@pytest.mark.parametrize("window", ["0", "-1", "3601", "nan", "inf", "x"])
def test_a_window_that_is_not_remembered_is_refused(
    replica: Replica, window: str
) -> None:
    response = replica.admin.get(f"/in-flight/{window}")

    assert response.status_code == 400
    assert "from 1 to 3600 seconds" in response.json()["detail"]


@pytest.mark.parametrize("path", ["/", "/nope", "/healthz/more", "/in-flight"])
def test_the_admin_address_has_nothing_else(replica: Replica, path: str) -> None:
    assert replica.admin.get(path).status_code == 404
    assert replica.admin.post(path).status_code == 404


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/drain"])
def test_the_public_address_has_nothing_of_it(replica: Replica, path: str) -> None:
    assert replica.client.get(path).status_code == 404
    assert replica.client.post(path).status_code == 404


def test_the_admin_address_survives_nonsense(replica: Replica) -> None:
    for sent in (
        b"\x00\xff\r\n\r\n",
        b"POST /drain HTTP/1.1\r\ncontent-length: x\r\n\r\n",
    ):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(replica.admin_socket))
            connection.sendall(sent)

    assert replica.admin.get("/readyz").status_code == 200


def test_every_answer_is_counted_once_by_status_and_duration(replica: Replica) -> None:
    names = ("cortex_requests_total", "cortex_request_duration_seconds_count")
    before = [replica.metric(name) for name in names]

    for _ in range(3):
        replica.client.post("/")

    assert [replica.metric(name) for name in names] == [n + 3 for n in before]
    labels = {"api": "test", "code": "200"}
    assert replica.metric("cortex_requests_total", **labels) >= 3
    assert replica.metric("cortex_ready") == 1


def test_is_alive_but_not_ready_and_not_open_while_it_starts() -> None:
    source = GATE + "wait_at('start')\nclass P:\n    def predict(self): return 1\n"
    with starting(source) as replica:
        wait_for("the admin address", lambda: is_starting(replica))
        wait_for("the project", (replica.folder / "root").exists)

        with pytest.raises(ConnectionRefusedError):
            replica.connect()
        assert replica.admin.get("/healthz").status_code == 200
        assert replica.metric("cortex_ready") == 0
        replica.open_gate("start")
        replica.wait_until_ready()

        assert replica.client.post("/").json() == 1


def is_starting(replica: Replica) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(replica.admin_socket))
    except OSError:
        return False
    response = replica.admin.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"status": "starting"})
    return True
