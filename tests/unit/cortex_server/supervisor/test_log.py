import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cortex_server.supervisor import log as log_module
from cortex_server.supervisor.log import Log

LABELS = {"api": "iris", "revision": "abc", "replica": "r1"}
STRUCTURED = b'{"timestamp":"2026-01-01T00:00:00Z","level":"info","event":"hi"}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replica.log"


@pytest.fixture
def log(path: Path) -> Iterator[Log]:
    with closing(Log(path, "json", lambda: LABELS)) as log:
        yield log


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def test_a_structured_line_passes_as_it_is(log: Log, path: Path) -> None:
    log.feed(STRUCTURED + b"\n")

    assert path.read_bytes() == STRUCTURED + b"\n"


@pytest.mark.parametrize(
    ("written", "event"),
    [
        (b"Fatal Python error", "Fatal Python error"),
        (b'{"mine": 1}', '{"mine": 1}'),
        (b"with a return\r", "with a return"),
        (b"\xff broken", "\ufffd broken"),
        (STRUCTURED[:-1], STRUCTURED[:-1].decode()),
    ],
)
def test_any_other_line_is_wrapped(
    log: Log, path: Path, written: bytes, event: str
) -> None:
    log.feed(written + b"\n")

    (line,) = lines(path)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"level": "info", "event": event, "stream": "raw", **LABELS}


def test_empty_lines_are_left_out(log: Log, path: Path) -> None:
    log.feed(b"\n  \n\r\n")

    assert lines(path) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    events=st.lists(st.text(min_size=1).filter(str.strip), max_size=20),
    size=st.integers(1, 50),
)
def test_it_does_not_matter_in_which_pieces_lines_come(
    tmp_path_factory: pytest.TempPathFactory, events: list[str], size: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    stamp = {"timestamp": "t", "level": "info"}
    written = b"".join(
        json.dumps({**stamp, "event": event}, separators=(",", ":")).encode() + b"\n"
        for event in events
    )

    with closing(Log(path, "json", lambda: LABELS)) as log:
        for start in range(0, len(written), size):
            log.feed(written[start : start + size])

    assert [line["event"] for line in lines(path)] == events


def test_an_unfinished_line_is_written_when_no_more_will_come(
    log: Log, path: Path
) -> None:
    log.feed(b"half a l")
    assert lines(path) == []

    log.flush()
    log.flush()
    log.feed(STRUCTURED + b"\n")

    assert [line["event"] for line in lines(path)] == ["half a l", "hi"]


def test_a_line_that_never_ends_is_cut(log: Log, path: Path) -> None:
    for _ in range(50):
        log.feed(b"x" * (1 << 16))
    log.feed(b"\n" + STRUCTURED + b"\n")

    *cut, last = lines(path)
    assert sum(len(line["event"]) for line in cut) == 50 << 16
    assert len(cut) > 1
    assert last["event"] == "hi"


def test_a_structured_line_that_is_cut_stays_json(log: Log, path: Path) -> None:
    log.feed(STRUCTURED[:-2] + b"x" * (2 << 20))
    log.feed(b'"}\n')

    assert len(lines(path)) > 1


def test_a_line_of_its_own_has_the_labels_and_fields(log: Log, path: Path) -> None:
    log.event("error", "worker died", seconds=0.1)

    (line,) = lines(path)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert line.items() >= {**LABELS, "level": "error", "seconds": 0.1}.items()


def test_a_full_file_gives_way_to_a_new_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "_LIMIT", 200)
    with closing(Log(path, "json", dict)) as log:
        for number in range(20):
            log.event("info", f"line {number}")

    old = Path(f"{path}.1")
    events = [line["event"] for line in lines(old) + lines(path)]
    assert events == [f"line {number}" for number in range(20)][-len(events) :]
    assert old.stat().st_size < 400
    assert path.stat().st_size < 200
    assert set(path.parent.iterdir()) == {path, old}


def test_goes_on_where_an_earlier_replica_stopped(path: Path) -> None:
    for number in range(2):
        with closing(Log(path, "json", dict)) as log:
            log.event("info", f"start {number}")

    assert [line["event"] for line in lines(path)] == ["start 0", "start 1"]


def test_a_file_that_cannot_be_rotated_is_written_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "_LIMIT", 1)
    Path(f"{path}.1").mkdir()

    with closing(Log(path, "json", dict)) as log:
        log.event("info", "first")
        log.event("info", "second")

    assert [line["event"] for line in lines(path)] == ["first", "second"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")
def test_a_full_disk_does_not_raise() -> None:
    log = Log(Path("/dev/full"), "json", lambda: LABELS)

    log.event("info", "lost")
    log.feed(STRUCTURED + b"\n")
    log.flush()
    log.close()


def test_without_a_file_it_is_the_standard_output(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    log = Log(None, "json", lambda: LABELS)

    log.feed(STRUCTURED + b"\n")

    assert capfdbinary.readouterr().out == STRUCTURED + b"\n"


@pytest.mark.parametrize(
    ("written", "shown"),
    [(STRUCTURED, b"hi"), (b"raw words", b"raw words"), (b'{"timestamp":x}', b"x")],
)
def test_people_read_text(path: Path, written: bytes, shown: bytes) -> None:
    with closing(Log(path, "console", lambda: LABELS)) as log:
        log.feed(written + b"\n")

    assert shown in path.read_bytes()
    assert b"iris" not in path.read_bytes()
