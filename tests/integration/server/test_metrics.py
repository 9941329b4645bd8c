import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from integration.server.replica import GATE, Replica, running, starting, wait_for

SOURCE = (
    GATE
    + """
import ctypes, os, prometheus_client

RAW = prometheus_client.Counter("raw", "Not injected", ["api"])

class P:
    def __init__(self, metrics):
        self.hits = metrics.counter("hits", "Hits", labels="kind")
        metrics.gauge("loaded").set(1)

    def warm_up(self, metrics):
        metrics.gauge("warm").set(1)

    def predict(self, payload, metrics, query_params):
        RAW.labels("mine").inc()
        self.hits.labels(payload).inc()
        metrics.histogram("letters", buckets=[2, 4]).observe(len(payload))
        if "hold" in query_params:
            pathlib.Path("holding").touch()
            ctypes.PyDLL(None).usleep(2_000_000)  # keeps the interpreter's lock
        return payload

    def post_predict(self, metrics):
        metrics.counter("followed").inc()
"""
)


def test_metrics_of_every_method_are_on_the_admin_address() -> None:
    with running(SOURCE) as replica:
        for kind in ("cat", "cat", "horse"):
            replica.client.post("/", json=kind)

        labels = {"api": "test", "revision": revision(replica)}
        assert replica.metric("hits_total", kind="cat", **labels) == 2
        assert replica.metric("hits_total", kind="horse", **labels) == 1
        assert replica.metric("loaded", **labels) == 1
        assert replica.metric("warm", **labels) == 1
        assert replica.metric("letters_bucket", le="4.0", **labels) == 2
        assert replica.metric("letters_sum", **labels) == 11
        assert replica.metric("raw_total", exported_api="mine", **labels) == 3
        replica.wait_for_metric("followed_total", 3, **labels)


def revision(replica: Replica) -> str:
    return str(replica.client.get("/").json()["revision"])


def test_metrics_are_seen_while_predict_holds_the_interpreter() -> None:
    with running(SOURCE) as replica, ThreadPoolExecutor(1) as pool:
        held = pool.submit(replica.client.post, "/?hold=1", json="cat")
        wait_for("predict", (replica.folder / "root" / "holding").exists)

        assert replica.metric("hits_total") == 1
        assert not held.done()


def test_counts_outlive_a_worker_and_its_files_do_not_pile_up() -> None:
    with running(SOURCE) as replica:
        for died in range(3):
            replica.client.post("/", json="cat")
            worker = replica.worker
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            wait_for("another worker", lambda old=worker: is_new(replica, old.pid))

            assert replica.metric("hits_total") == died + 1
        kept = [file.stem for file in replica.folder.glob("metrics-*/counter_*")]
        assert kept == ["counter_0"]
        assert replica.metric("loaded") == 1


def is_new(replica: Replica, old: int) -> bool:
    pids = [child.pid for child in replica.process.children()]
    return old not in pids and bool(pids) and replica.admin.get("/readyz").is_success


def test_processes_are_added_up_and_the_gauges_of_a_dead_one_go() -> None:
    source = """
import os, signal, time

class P:
    def __init__(self, metrics):
        metrics.gauge("up").set(1)

    def predict(self, payload, metrics):
        metrics.counter("hits").inc()
        if payload == "die":
            metrics.gauge("dying").set(1)
            os.kill(os.getpid(), signal.SIGKILL)
        return payload
"""
    with running(source, processes_per_replica=2) as replica:
        for _ in range(10):
            assert replica.client.post("/", json="x").text == "x"
        assert replica.metric("hits_total") == 10
        assert replica.metric("up") == 2

        assert replica.client.post("/", json="die").is_server_error
        replica.wait_for_metric("up", 2)
        assert replica.metric("hits_total") == 11
        assert replica.metric("dying") == 0


@pytest.mark.parametrize("gone", [False, True])
def test_the_folder_of_the_metrics_ends_with_the_replica(gone: bool) -> None:  # noqa: FBT001  # a parameter
    source = "raise ValueError" if gone else SOURCE
    with starting(source) as replica:
        if not gone:
            replica.wait_until_ready()
            replica.terminate()
        replica.wait()

        assert not list(replica.folder.glob("metrics-*"))


def test_a_name_that_breaks_a_rule_is_told_when_the_replica_starts() -> None:
    source = """
class P:
    def __init__(self, metrics):
        metrics.counter("cortex_hits")
    def predict(self): return 1
"""
    with starting(source) as replica:
        assert replica.wait() == 1

        assert replica.failure()["message"] == (
            "`P.__init__` raised ValueError: metric `cortex_hits` may not begin with"
            " `cortex_`: choose another name"
        )


def test_a_predictor_without_metrics_does_not_load_their_library() -> None:
    source = """
import sys
class P:
    def predict(self): return "prometheus_client" in sys.modules
"""
    with running(source) as replica:
        assert replica.client.post("/").json() is False
