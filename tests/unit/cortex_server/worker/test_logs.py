# ruff: noqa: T201  # what is printed is what is tested
import io
import json
import logging
import os
import sys
import threading
from typing import Any

import pytest
import structlog

from cortex_server.worker import logs

LABELS = {"api": "iris", "revision": "abc", "replica": "r1"}


class Worker:
    """While entered, this process logs as a worker does."""

    def __init__(self, captured: pytest.CaptureFixture[bytes]) -> None:
        self._captured = captured

    def __enter__(self) -> None:
        root = logging.getLogger()
        self._hooks = (sys.excepthook, threading.excepthook)
        self._streams = (sys.stdout, sys.stderr)
        self._handlers, self._level = root.handlers[:], root.level
        root.handlers = []
        logs.set_up("info", LABELS)

    def __exit__(self, *_: object) -> None:
        root = logging.getLogger()
        sys.excepthook, threading.excepthook = self._hooks
        sys.stdout, sys.stderr = self._streams
        root.handlers, root.level = self._handlers, self._level
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()

    def lines(self) -> list[dict[str, Any]]:
        """What came out since the last call."""
        data = self._captured.readouterr().out
        return [json.loads(line) for line in data.split(b"\n") if line]


@pytest.fixture
def worker(capfdbinary: pytest.CaptureFixture[bytes]) -> Worker:
    return Worker(capfdbinary)


def test_every_way_leads_to_one_stream_of_one_shape(worker: Worker) -> None:
    with worker:
        structlog.contextvars.bind_contextvars(request_id="r")
        print("printed")
        print("to the other", file=sys.stderr)
        logging.getLogger("mine").error("logged")
        structlog.get_logger().warning("told", extra=1)

    lines = worker.lines()
    assert [line["event"] for line in lines] == [
        *("printed", "to the other", "logged", "told")
    ]
    assert [line["level"] for line in lines] == ["info", "info", "error", "warning"]
    for line in lines:
        assert line.items() >= {**LABELS, "request_id": "r"}.items()
        assert list(line)[:3] == ["timestamp", "level", "event"]
    assert (lines[0]["stream"], lines[1]["stream"]) == ("stdout", "stderr")
    assert (lines[2]["logger"], lines[3]["extra"]) == ("mine", 1)


def test_what_is_below_the_level_is_left_out(worker: Worker) -> None:
    with worker:
        logging.getLogger().debug("quiet")
        structlog.get_logger().debug("quiet")
        print("end")

    assert [line["event"] for line in worker.lines()] == ["end"]


@pytest.mark.parametrize(
    ("level", "told"),
    [(5, []), (15, []), (25, ["info"]), (35, ["warning"]), (99, ["critical"])],
)
def test_a_level_in_between_is_the_one_below(
    worker: Worker, level: int, told: list[str]
) -> None:
    with worker:
        logging.getLogger().setLevel(1)
        logging.getLogger().log(level, "x")

    assert [line["level"] for line in worker.lines()] == told


class Rude:
    def __repr__(self) -> str:
        raise ValueError

    __str__ = __repr__


def cycle() -> list[Any]:
    endless: list[Any] = []
    endless.append(endless)
    return endless


@pytest.mark.parametrize(
    "value",
    [2**70, Rude(), cycle(), "\ud800", {(1, 2): 3}, b"\xff", {1}, Rude],
    ids=lambda value: type(value).__name__,
)
def test_any_value_can_be_logged(worker: Worker, value: Any) -> None:
    with worker:
        structlog.get_logger().info("odd", value=value)

    (line,) = worker.lines()
    assert line["event"] == "odd"
    assert "value" in line


@pytest.mark.parametrize(
    ("message", "arguments"), [("%d", ("x",)), ("%s %s", (1,)), (Rude(), ())]
)
def test_a_message_that_cannot_be_made_does_not_fail_its_caller(
    worker: Worker, message: Any, arguments: tuple[Any, ...]
) -> None:
    with worker:
        logging.getLogger().warning(message, *arguments)

    events = [line["event"] for line in worker.lines()]
    assert "--- Logging error ---" in events


def test_an_exception_is_one_line(worker: Worker) -> None:
    with worker:
        try:
            int("first\nsecond")
        except ValueError:
            logging.getLogger().exception("failed")

    (line,) = worker.lines()
    assert line["exception"].splitlines()[-1].startswith("ValueError: invalid literal")


def test_a_line_ends_with_its_end(worker: Worker) -> None:
    with worker:
        print("a", end="")
        print("b\nc", end="")
        before = worker.lines()
        sys.stdout.flush()
        sys.stdout.flush()

    assert [line["event"] for line in before] == ["ab"]
    assert [line["event"] for line in worker.lines()] == ["c"]


def test_streams_behave_as_programs_expect(worker: Worker) -> None:
    with worker:
        stdout = sys.stdout
        assert isinstance(stdout, io.TextIOWrapper)
        stdout.reconfigure(line_buffering=True)
        assert (stdout.fileno(), sys.stderr.fileno()) == (1, 2)
        assert (stdout.encoding, stdout.isatty()) == ("utf-8", False)
        stdout.writelines(["x\n", "y\n"])
        stdout.buffer.write(b'{"raw": 1}\n')

    assert [line.get("event") for line in worker.lines()] == ["x", "y", None]


def test_threads_do_not_finish_each_others_lines(worker: Worker) -> None:
    with worker:
        print("mine", end=" ")
        thread = threading.Thread(target=print, args=("theirs",))
        thread.start()
        thread.join()
        print("too")

    assert [line["event"] for line in worker.lines()] == ["theirs", "mine too"]


def test_the_death_of_a_thread_is_logged(worker: Worker) -> None:
    with worker:
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()

    (line,) = worker.lines()
    assert (line["event"], line["level"]) == ("uncaught exception", "critical")
    assert "ZeroDivisionError" in line["exception"]


def test_without_a_reader_lines_go_nowhere_and_fail_nobody() -> None:
    read, write = os.pipe()
    os.close(read)
    pipe = logs._Pipe(write)

    assert pipe.write(b"x" * 100) == 100
    pipe.close()
    os.close(write)
