import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from integration.server.replica import Replica, running

SOURCE = """
import logging, os, subprocess, sys, threading, time, warnings
import numpy as np

sys.stdout.reconfigure(line_buffering=True)

class Rude:
    def __repr__(self):
        raise ValueError("no")

class P:
    def __init__(self):
        print("building")

    def predict(self, payload, logger):
        getattr(self, payload)(logger)
        return "done"

    def everywhere(self, logger):
        print("printed")
        print("printed as an error", file=sys.stderr)
        logging.getLogger("mine").warning("logged %s", 1)
        logger.info("told", a=1)
        logging.debug("too quiet")
        logger.debug("too quiet")

    def lines(self, logger):
        print("two\\nlines", end="")
        print(" and a half")
        print()
        print("unfinished", end="", flush=True)

    def exotic(self, logger):
        logger.info("exotic", number=2**70, rude=Rude(), array=np.arange(2), key={1: 2})
        logger.info("broken \\ud800 text")
        print("half \\ud800 pair")
        me = []
        me.append(me)
        logger.info("endless", me=me)
        logging.warning("%d flowers", "many")
        logging.warning(Rude())
        try:
            1 / 0
        except ZeroDivisionError:
            logging.exception("divided")

    def outside(self, logger):
        os.write(1, b"from C\\n")
        sys.stdout.buffer.write(b"bytes\\n")
        subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)

    def long(self, logger):
        print("x" * (3 << 20))

    def warn(self, logger):
        warnings.warn("watch out", UserWarning)

    def thread(self, logger):
        work = threading.Thread(target=lambda: 1 / 0)
        work.start()
        work.join()

    def side_by_side(self, logger):
        for number in range(200):
            print("side", "by", "side", number)
            time.sleep(0)
"""


@pytest.fixture(scope="module", params=[1, 2], ids=["one process", "two"])
def replica(request: pytest.FixtureRequest) -> Iterator[Replica]:
    with running(
        SOURCE, threads_per_process=4, processes_per_replica=request.param
    ) as replica:
        yield replica


def predict(replica: Replica, payload: str, **headers: str) -> str:
    """Call a method of the predictor; returns the request's id."""
    all_headers = {"content-type": "text/plain", **headers}
    response = replica.client.post("/", content=payload, headers=all_headers)
    assert response.text == "done"
    return str(response.headers["x-request-id"])


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ("printed", {"level": "info", "stream": "stdout"}),
        ("printed as an error", {"level": "info", "stream": "stderr"}),
        ("logged 1", {"level": "warning", "logger": "mine"}),
        ("told", {"level": "info", "a": 1}),
    ],
)
def test_every_way_of_logging_has_the_ids_of_the_request(
    replica: Replica, event: str, fields: dict[str, object]
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    traceparent = f"00-{trace}-b7ad6b7169203331-01"

    made = predict(replica, "everywhere", traceparent=traceparent)

    line = replica.logged(event=event, request_id=made)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    labels = {"api": "test", "replica": "local", "trace_id": trace}
    assert {**labels, **fields}.items() <= line.items()


def test_what_is_below_the_level_is_not_logged(replica: Replica) -> None:
    made = predict(replica, "everywhere")

    replica.logged(event="told", request_id=made)
    assert not replica.log(event="too quiet")


def test_printed_lines_are_lines_of_the_log(replica: Replica) -> None:
    made = predict(replica, "lines")

    replica.logged(event="unfinished", request_id=made)
    events = [line["event"] for line in replica.log(request_id=made)]
    assert events == ["two", "lines and a half", "unfinished"]


def test_what_is_printed_while_starting_has_no_request(replica: Replica) -> None:
    assert "request_id" not in replica.logged(event="building")


def test_nothing_that_is_logged_fails_a_request(replica: Replica) -> None:
    made = predict(replica, "exotic")

    divided = replica.logged(event="divided", request_id=made)
    assert "ZeroDivisionError" in divided["exception"]
    exotic = replica.logged(event="exotic", request_id=made)
    assert exotic["number"] == str(2**70)
    assert replica.logged(event="endless", me="[[...]]")


def test_output_from_outside_of_python_is_wrapped(replica: Replica) -> None:
    predict(replica, "outside")

    for event in ("from C", "bytes", "from a child"):
        assert replica.logged(event=event)["stream"] == "raw"


def test_a_line_of_megabytes_does_not_break_the_log(replica: Replica) -> None:
    predict(replica, "long")
    replica.logged(event="told", request_id=predict(replica, "everywhere"))

    total = sum(line["event"].count("x" * 1000) for line in replica.log())
    assert total >= 3 << 10


def test_warnings_and_the_death_of_a_thread_are_logged(replica: Replica) -> None:
    predict(replica, "warn")
    predict(replica, "thread")

    assert "watch out" in replica.logged(logger="py.warnings")["event"]
    uncaught = replica.logged(event="uncaught exception")
    assert "ZeroDivisionError" in uncaught["exception"]


def test_lines_printed_side_by_side_are_not_mixed(replica: Replica) -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(lambda _: predict(replica, "side_by_side"), range(4)))

    for made in ids:
        replica.logged(event="side by side 199", request_id=made)
        events = [line["event"] for line in replica.log(request_id=made)]
        assert events == [f"side by side {number}" for number in range(200)]


def test_people_get_text_and_no_labels() -> None:
    source = "class P:\n  def predict(self):\n    print('hello')\n"
    with running(source, ("--log-format", "console")) as replica:
        replica.client.post("/")
        replica.terminate()
        replica.wait()

        (line,) = [each for each in replica.log_text.splitlines() if "hello" in each]
        assert "revision" not in line
        with pytest.raises(ValueError, match=r"Expecting value|Extra data"):
            json.loads(line)


ASKS = """
import time

class P:
    def predict(self, query_params):
        time.sleep(float(query_params.get("seconds", 0)))
        return 1
"""


def test_no_request_has_a_line_of_its_own_unless_one_asks_for_it() -> None:
    with running(ASKS) as replica:
        for _ in range(50):
            replica.client.post("/")
        replica.terminate()
        replica.wait()

        assert [line["event"] for line in replica.log()] == ["draining"]


def test_a_share_of_all_requests_has_a_line() -> None:
    with running(ASKS, log_requests=0.5) as replica:
        for number in range(200):
            replica.client.post("/", headers={"x-request-id": str(number)})
        replica.terminate()
        replica.wait()

        lines = replica.log(event="request", level="info", status=200)
        assert 50 < len(lines) < 150  # 7 standard deviations
        assert len({line["request_id"] for line in lines}) == len(lines)
        assert all(0 < line["seconds"] < 10 for line in lines)


def test_a_slow_request_has_a_line_in_any_case() -> None:
    with running(ASKS, log_slow=0.3) as replica:
        replica.client.post("/?seconds=0.3", headers={"x-request-id": "slow"})
        replica.client.post("/", headers={"x-request-id": "quick"})

        line = replica.logged(event="slow request", level="warning", request_id="slow")
        assert (line["status"], line["seconds"] >= 0.3) == (200, True)
        replica.terminate()
        replica.wait()
        assert not replica.log(request_id="quick")


def test_all_requests_have_a_line_where_the_share_is_one() -> None:
    with running(ASKS, log_requests=1.0) as replica:
        for _ in range(20):
            replica.client.post("/")
        replica.client.post("/?seconds=x")
        replica.terminate()
        replica.wait()

        statuses = [line["status"] for line in replica.log(event="request")]
        assert statuses == [200] * 20 + [500]
