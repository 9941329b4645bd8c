import json
import time

import pytest
from fakes import FakeTarget, Run
from rich.text import Text

from cortex_sdk._target import LogLine
from cortex_sdk.cli.logs import readable


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def line(**fields: object) -> str:
    stamp = {"timestamp": "2026-03-01T10:20:30.123456Z", "level": "info"}
    return json.dumps({**stamp, "event": "hello", "api": "iris", **fields})


def shown(text: str) -> str:
    return readable(text, "iris-7f3a-1").plain


@pytest.mark.usefixtures("utc")
def test_a_line_reads_time_level_event_the_rest_and_who() -> None:
    text = line(revision="abc", replica="r", user="ada", size=3, trace_id=None)

    assert shown(text) == (
        "2026-03-01 10:20:30.123  info     hello  user=ada  size=3  iris-7f3a-1"
    )


@pytest.mark.usefixtures("utc")
def test_a_traceback_is_indented_below_its_line() -> None:
    text = line(level="error", exception="Traceback:\n  File\nValueError: no\n")

    assert shown(text).splitlines() == [
        "2026-03-01 10:20:30.123  error    hello  iris-7f3a-1",
        "    Traceback:",
        "      File",
        "    ValueError: no",
    ]


def test_a_line_that_is_no_json_is_its_own_event() -> None:
    assert "Segmentation fault" in shown("Segmentation fault")
    assert "[1, 2]" in shown("[1, 2]")


def test_a_line_cannot_control_the_terminal() -> None:
    assert "\x1b" not in shown(line(event="\x1b[2Jgone"))
    assert "\\x1b[2Jgone" in shown(line(event="\x1b[2Jgone"))


def test_markup_in_a_line_is_text() -> None:
    assert "[bold]x[/bold]" in shown(line(event="[bold]x[/bold]"))


def test_replicas_differ_in_colour() -> None:
    def colour(replica: str) -> object:
        text = readable(line(), replica)
        assert isinstance(text, Text)
        return text.spans[-1].style

    assert len({colour(f"iris-{number}") for number in range(20)}) > 1
    assert colour("iris-1") == colour("iris-1")


def test_json_gives_lines_as_they_were_written(cortex: Run, target: FakeTarget) -> None:
    odd = '{"event":  "kept\\tas it is"}'
    target.with_api("iris").lines = [LogLine(odd, "r1"), LogLine("plain\ttext", "r2")]

    assert cortex("logs", "iris", "-o", "json").out == f"{odd}\nplain\ttext\n"


def test_follow_and_tail_reach_the_target(cortex: Run, target: FakeTarget) -> None:
    target.with_api("iris")

    assert cortex("logs", "iris", "-f", "--tail", 5).code == 0
    assert cortex("logs", "iris").code == 0
    assert target.did == [
        "logs follow=True tail=5 iris",
        "logs follow=False tail=None iris",
    ]


def test_an_empty_log_is_told_apart_from_the_data(
    cortex: Run, target: FakeTarget
) -> None:
    target.with_api("iris")

    result = cortex("logs", "iris")

    assert (result.code, result.out) == (0, "")
    assert result.err == "iris has logged nothing yet\n"


def test_nothing_is_coloured_in_a_pipe(cortex: Run, target: FakeTarget) -> None:
    target.with_api("iris").lines = [LogLine(line(), "r1")]

    assert "\x1b" not in cortex("logs", "iris").out
