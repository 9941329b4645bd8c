import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import psutil
import pytest
from integration.server.replica import (
    GATE,
    Replica,
    receive,
    receive_response,
    request_bytes,
    running,
    starting,
    wait_for,
    wait_for_end,
)

SOURCE = (
    GATE
    + """
class P:
    def predict(self, query_params, logger):
        if "gate" in query_params:
            wait_at(query_params["gate"])
        logger.info("answering")  # also when nobody is left to read the log
        print("answering")
        return dict(query_params)

    def post_predict(self, response):
        if "hook" in response:
            wait_at(response["hook"])
            pathlib.Path("followed").touch()
"""
)


REFUSED = (ConnectionRefusedError, FileNotFoundError)


@contextmanager
def draining(replica: Replica, gate: str = "gate") -> Iterator[Future[httpx.Response]]:
    """A replica that was told to end while it holds one request."""
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(replica.client.post, f"/?gate={gate}")
        replica.wait_for_metric("cortex_in_flight_requests", 1)
        replica.terminate()
        wait_for("the drain", lambda: state(replica) == "draining")
        wait_for("the address to close", lambda: not is_open(replica))
        yield held


def state(replica: Replica) -> str:
    response = replica.admin.get("/readyz")
    assert response.status_code == (
        200 if response.json()["status"] == "ready" else 503
    )
    return str(response.json()["status"])


def is_open(replica: Replica) -> bool:
    try:
        replica.connect().close()
    except REFUSED:
        return False
    return True


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "POST /drain"])
def test_finishes_what_it_has_and_takes_nothing_new(how: str) -> None:
    with running(SOURCE) as replica, ThreadPoolExecutor(1) as pool:
        held = pool.submit(replica.client.post, "/?gate=gate&hook=hook")
        replica.wait_for_metric("cortex_in_flight_requests", 1)
        if how == "POST /drain":
            assert replica.admin.post("/drain").status_code == 202
        else:
            replica.process.send_signal(signal.Signals[how])
        wait_for("the address to close", lambda: not is_open(replica))

        assert replica.admin.get("/healthz").status_code == 200
        assert state(replica) == "draining"
        replica.open_gate("gate")
        answer = held.result()
        assert answer.status_code == 200
        assert answer.headers["connection"] == "close"
        assert replica.process.poll() is None  # it waits for the hook
        replica.open_gate("hook")
        assert replica.wait() == 0
        assert (replica.folder / "root" / "followed").exists()
        assert replica.logged(event="draining")
        assert not replica.public_socket.exists()


def test_a_port_is_closed_while_requests_finish() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
    listen = ("--listen", f"{host}:{port}")
    with running(SOURCE, listen) as replica, ThreadPoolExecutor(1) as pool:
        url = f"http://{host}:{port}/?gate=gate"
        held = pool.submit(httpx.post, url, timeout=20)
        replica.wait_for_metric("cortex_in_flight_requests", 1)
        replica.terminate()

        wait_for("the port to close", lambda: not accepts_at(host, port))
        assert replica.process.poll() is None
        replica.open_gate("gate")
        assert held.result().status_code == 200
        assert replica.wait() == 0


def accepts_at(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def test_idle_connections_are_closed_and_half_requests_are_answered() -> None:
    with running(SOURCE, threads_per_process=2) as replica:
        idle, used, half = (replica.connect() for _ in range(3))
        used.sendall(request_bytes())
        receive_response(used)
        request = request_bytes(b"[]", "content-type: application/json")
        half.sendall(request[:20])
        with draining(replica) as held:
            assert idle.recv(1) == b""
            assert used.recv(1) == b""
            half.sendall(request[20:])
            status, headers, _ = receive_response(half)
            replica.open_gate("gate")

            assert (status, headers["connection"]) == (200, "close")
            assert held.result().status_code == 200
            assert replica.wait() == 0
        for connection in (idle, used, half):
            connection.close()


def test_a_pipelined_request_that_arrived_is_answered() -> None:
    with running(SOURCE) as replica, replica.connect() as connection:
        connection.sendall(request_bytes(path="/?gate=first"))
        replica.wait_for_metric("cortex_in_flight_requests", 1)
        replica.terminate()
        wait_for("the address to close", lambda: not is_open(replica))
        replica.open_gate("first")

        assert receive(connection).startswith(b"HTTP/1.1 200 OK")
        assert replica.wait() == 0


def test_every_connection_that_is_taken_gets_its_answer() -> None:
    def ask_until_refused(replica: Replica) -> int:
        answers = 0
        while True:
            try:
                connection = replica.connect()
            except REFUSED:
                return answers
            with connection:
                connection.sendall(request_bytes(b"", "connection: close"))
                assert receive(connection).startswith(b"HTTP/1.1 200 OK")
            answers += 1

    with running(SOURCE) as replica, ThreadPoolExecutor(16) as pool:
        clients = [pool.submit(ask_until_refused, replica) for _ in range(16)]
        wait_for("a load", lambda: replica.metric("cortex_requests_total") > 500)
        replica.terminate()

        assert all(client.result() for client in clients)
        assert replica.wait() == 0


def test_serves_on_while_it_is_withdrawn() -> None:
    with running(SOURCE, ("--withdraw", "1.5")) as replica:
        replica.terminate()
        began = time.monotonic()
        wait_for("the drain", lambda: state(replica) == "draining")

        served = 0
        while is_open(replica) and time.monotonic() - began < 1.2:
            assert replica.client.post("/").status_code == 200
            served += 1
        assert served > 1
        assert replica.wait() == 0
        assert time.monotonic() - began >= 1.5


def test_an_interrupt_while_draining_ends_it_at_once() -> None:
    with running(SOURCE) as replica, draining(replica) as held:
        replica.interrupt()
        replica.wait()

        assert not replica.public_socket.exists()
        assert isinstance(held.exception(), httpx.RemoteProtocolError)


def test_being_told_to_end_twice_is_being_told_once() -> None:
    with running(SOURCE) as replica, draining(replica) as held:
        replica.terminate()
        replica.terminate()
        replica.open_gate("gate")

        assert held.result().status_code == 200
        assert replica.wait() == 0


def test_what_takes_longer_than_its_time_does_not_hold_the_drain_up() -> None:
    source = SOURCE.replace('wait_at(query_params["gate"])', "time.sleep(60)")
    with running(source, timeout=0.5) as replica, draining(replica) as held:
        assert held.result().status_code == 504
        assert replica.wait() == 0


def test_a_hook_that_takes_longer_than_its_time_is_dropped() -> None:
    with running(SOURCE, hook_drain=0.3) as replica:
        replica.client.post("/?hook=never")
        replica.terminate()

        assert replica.wait() == 0
        assert replica.logged(event="post_predict calls dropped", number=1)


def test_is_told_to_end_while_it_starts() -> None:
    source = GATE + "wait_at('never')\n" + SOURCE
    with starting(source) as replica:
        wait_for("the project", (replica.folder / "root").exists)
        replica.terminate()

        assert replica.wait() == 0
        assert not replica.failure_file.exists()


def test_a_worker_whose_supervisor_is_killed_finishes_and_goes() -> None:
    with running(SOURCE) as replica, ThreadPoolExecutor(1) as pool:
        worker = replica.worker
        held = pool.submit(replica.client.post, "/?gate=gate")
        replica.wait_for_metric("cortex_in_flight_requests", 1)
        replica.process.kill()
        replica.wait()
        wait_for("the address to close", lambda: not is_open(replica))
        replica.open_gate("gate")

        assert held.result().status_code == 200
        wait_for_end(worker)


def test_a_worker_whose_supervisor_is_killed_gives_its_start_up() -> None:
    with starting(GATE + "wait_at('never')\n" + SOURCE) as replica:
        wait_for("the project", (replica.folder / "root").exists)
        worker = replica.worker
        replica.process.kill()

        began = time.monotonic()
        wait_for_end(worker)
        assert time.monotonic() - began < 10  # its gate opens after 20


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_processes_that_the_predictor_started_end_with_it(how: signal.Signals) -> None:
    source = """
import subprocess
class P:
    def __init__(self):
        self.child = subprocess.Popen(["sleep", "60"])
    def predict(self):
        return self.child.pid
"""
    with running(source) as replica:
        child = psutil.Process(replica.client.post("/").json())
        target = replica.process if how is signal.SIGTERM else replica.worker
        target.send_signal(how)

        wait_for_end(child)


def test_an_admin_client_that_stays_does_not_hold_the_end_up() -> None:
    with running(SOURCE) as replica, socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(replica.admin_socket))
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        replica.terminate()

        assert replica.wait() == 0


@pytest.mark.parametrize("path", ["/", "//"], ids=["short", "plain"])
def test_a_body_that_stopped_coming_does_not_hold_it_up(path: str) -> None:
    with running(SOURCE) as replica, replica.connect() as connection:
        connection.sendall(request_bytes(b"[1, 2]", path=path)[:-1])
        replica.terminate()

        assert receive(connection).startswith(b"HTTP/1.1 408 ")
        assert replica.wait() == 0
