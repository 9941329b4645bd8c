import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cortex_sdk._target import LogLine
from cortex_sdk.local import logs


def line(second: int, event: str = "x") -> str:
    return json.dumps({"timestamp": f"2026-01-01T00:00:{second:02}Z", "event": event})


def append(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{one}\n" for one in lines)


def rotate(path: Path) -> None:
    path.replace(f"{path}.1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "iris" / "logs"
    folder.mkdir(parents=True)
    return folder


def past(folder: Path, tail: int | None = None) -> list[LogLine]:
    return list(logs.read(folder, follow=False, tail=tail))


class Follower:
    """Reads on whenever the log would be waited for, and stops when told to."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._steps: Iterator[object] = iter(())
        self._folder = folder
        monkeypatch.setattr(logs.time, "sleep", lambda _: next(self._steps)())  # type: ignore[operator]

    def read(self, *steps: object, tail: int | None = None) -> list[str]:
        """All lines, with one step taken each time there is nothing to read."""

        def end() -> None:
            self._folder.parent.rename(self._folder.parent.with_name("deleted"))

        self._steps = itertools.chain(steps, [end])
        lines = logs.read(self._folder, follow=True, tail=tail)
        return [json.loads(one.text)["event"] for one in lines]


@pytest.fixture
def follower(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Follower:
    return Follower(folder, monkeypatch)


def test_lines_of_all_replicas_come_in_order_of_time(folder: Path) -> None:
    append(folder / "a.log", line(1), line(4))
    append(folder / "b.log", line(2), line(3))

    found = past(folder)

    assert [one.text for one in found] == [line(1), line(2), line(3), line(4)]
    assert [one.replica for one in found] == ["a", "b", "b", "a"]


def test_what_was_moved_away_comes_first(folder: Path) -> None:
    append(folder / "a.log", line(1))
    rotate(folder / "a.log")
    append(folder / "a.log", line(2))

    assert [one.text for one in past(folder)] == [line(1), line(2)]


def test_a_line_without_a_time_stays_behind_the_one_before(folder: Path) -> None:
    append(folder / "a.log", line(1), "no JSON", line(3))
    append(folder / "b.log", line(2))

    assert [one.text for one in past(folder)] == [
        line(1),
        "no JSON",
        line(2),
        line(3),
    ]


def test_only_the_last_lines_if_so_wanted(folder: Path) -> None:
    append(folder / "a.log", line(1), line(3))
    append(folder / "b.log", line(2))

    assert [one.text for one in past(folder, tail=2)] == [line(2), line(3)]
    assert past(folder, tail=0) == []


def test_half_a_line_is_none(folder: Path) -> None:
    (folder / "a.log").write_text(line(1) + "\n" + line(2)[:10])

    assert [one.text for one in past(folder)] == [line(1)]


def test_no_logs_are_no_lines(folder: Path) -> None:
    folder.rmdir()

    assert past(folder) == []


def test_bytes_that_are_no_text_do_not_stop_the_reading(folder: Path) -> None:
    (folder / "a.log").write_bytes(b"\xff\n")

    assert [one.text for one in past(folder)] == ["\N{REPLACEMENT CHARACTER}"]


def test_new_lines_are_followed(folder: Path, follower: Follower) -> None:
    log = folder / "a.log"
    append(log, line(1, "one"))

    found = follower.read(
        lambda: append(log, line(2, "two")),
        lambda: None,
        lambda: append(log, line(3, "three"), line(4, "four")),
    )

    assert found == ["one", "two", "three", "four"]


def test_following_may_leave_out_the_past(folder: Path, follower: Follower) -> None:
    log = folder / "a.log"
    append(log, line(1, "one"), line(2, "two"))

    assert follower.read(lambda: append(log, line(3, "three")), tail=1) == [
        "two",
        "three",
    ]


def test_a_line_that_comes_in_pieces_is_one(folder: Path, follower: Follower) -> None:
    log = folder / "a.log"
    text = line(1, "one")

    found = follower.read(
        lambda: log.write_text(text[:9]),
        lambda: append(log, text[9:]),
    )

    assert found == ["one"]


def test_nothing_is_lost_or_repeated_when_the_log_is_moved_away(
    folder: Path, follower: Follower
) -> None:
    log = folder / "a.log"
    append(log, line(1, "one"))

    def more_then_moved_then_more() -> None:
        append(log, line(2, "two"))
        rotate(log)
        append(log, line(3, "three"))

    def moved_before_anything_new() -> None:
        rotate(log)

    found = follower.read(
        more_then_moved_then_more,
        moved_before_anything_new,
        lambda: append(log, line(4, "four")),
    )

    assert found == ["one", "two", "three", "four"]


def test_two_moves_between_two_looks_lose_nothing_that_is_still_there(
    folder: Path, follower: Follower
) -> None:
    log = folder / "a.log"
    append(log, line(1, "one"))

    def moved_twice() -> None:
        append(log, line(2, "two"))
        rotate(log)
        append(log, line(3, "three"))
        rotate(log)
        append(log, line(4, "four"))

    assert follower.read(moved_twice) == ["one", "two", "three", "four"]


def test_replicas_that_come_and_go_are_followed(
    folder: Path, follower: Follower
) -> None:
    append(folder / "a.log", line(1, "one"))

    def successor() -> None:
        append(folder / "a.log", line(2, "two"))
        append(folder / "b.log", line(3, "three"))

    found = follower.read(
        successor,
        (folder / "a.log").unlink,
        lambda: append(folder / "b.log", line(4, "four")),
    )

    assert found == ["one", "two", "three", "four"]


def test_following_ends_with_the_api_after_its_last_words(
    folder: Path, follower: Follower
) -> None:
    append(folder / "a.log", line(1, "one"))

    def last_words_and_end() -> None:
        append(folder / "a.log", line(2, "two"))
        folder.parent.rename(folder.parent.with_name("deleted"))

    follower._steps = iter(())
    assert follower.read(last_words_and_end) == ["one", "two"]
