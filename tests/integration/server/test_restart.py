import signal
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest
from integration.server.replica import GATE, running

SOURCE = (
    GATE
    + """
class P:
    def __init__(self):
        if pathlib.Path("broken").exists():
            raise ValueError("broken")

    def predict(self, query_params):
        if "gate" in query_params:
            wait_at(query_params["gate"])
        if "exit" in query_params:
            os._exit(int(query_params["exit"]))
        if "half" in query_params:
            os.write(1, b'{"timestamp":"half a li')
            os._exit(1)
        if "orphan" in query_params:
            os.system("sh -c 'while true; do echo noise; done' &")
            os._exit(1)
        return os.getpid()
"""
)


def test_a_killed_worker_is_replaced_and_what_it_had_is_counted_as_lost() -> None:
    with running(SOURCE) as replica, ThreadPoolExecutor(1) as pool:
        first = replica.client.post("/", headers={"connection": "close"}).json()
        held = pool.submit(replica.client.post, "/?gate=never")
        replica.wait_for_metric("cortex_in_flight_requests", 1)
        replica.worker.kill()

        assert isinstance(held.exception(), httpx.RemoteProtocolError)
        second = replica.client.post("/").json()  # waits until somebody answers
        assert second != first
        assert replica.metric("cortex_lost_requests_total") == 1
        assert replica.metric("cortex_in_flight_requests") == 0
        replica.wait_until_ready()
        line = replica.logged(level="error")
        assert line["event"] == (
            "worker was killed by SIGKILL (out of memory?), starting another"
        )


@pytest.mark.parametrize("status", [0, 78])
def test_a_worker_that_exits_is_replaced_whatever_its_status(status: int) -> None:
    with running(SOURCE) as replica:
        with pytest.raises(httpx.RemoteProtocolError):
            replica.client.post(f"/?exit={status}")

        assert replica.client.post("/").status_code == 200
        event = f"worker exited with status {status}, starting another"
        assert replica.logged(event=event)


def test_half_a_line_of_a_dead_worker_does_not_spoil_the_next_line() -> None:
    with running(SOURCE) as replica:
        with pytest.raises(httpx.RemoteProtocolError):
            replica.client.post("/?half=1")
        replica.client.post("/")

        assert replica.logged(event='{"timestamp":"half a li', stream="raw")


def test_a_noisy_child_that_outlives_the_worker_holds_nothing_up() -> None:
    with running(SOURCE) as replica:
        with pytest.raises(httpx.RemoteProtocolError):
            replica.client.post("/?orphan=1")

        assert replica.client.post("/").status_code == 200


def test_a_worker_that_cannot_start_again_ends_the_replica() -> None:
    with running(SOURCE) as replica:
        replica.open_gate("broken")
        replica.worker.send_signal(signal.SIGKILL)

        assert replica.wait() == 1
        assert "ValueError: broken" in replica.failure()["message"]


def test_a_replica_that_waits_before_a_restart_can_be_told_to_end() -> None:
    with running(SOURCE) as replica:
        headers = {"connection": "close"}
        for number in range(3):  # each waits twice as long for its successor
            answer = replica.client.post("/", headers=headers)
            psutil.Process(answer.json()).kill()
            replica.wait_for_metric("cortex_process_restarts_total", number + 1)
        replica.terminate()

        assert replica.wait() == 0
