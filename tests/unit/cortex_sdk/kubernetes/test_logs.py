from collections.abc import Iterator
from typing import Any

import pytest

from cortex_sdk._target import LogLine
from cortex_sdk.kubernetes import logs
from cortex_sdk.kubernetes.logs import Stamped, _split


class FakeResponse:
    """An answer that comes in pieces."""

    def __init__(self, *blocks: bytes) -> None:
        self._blocks = blocks

    def stream(self, **_: object) -> Iterator[bytes]:
        yield from self._blocks


class FakeSource:
    """Logs of pods without pods."""

    def __init__(self, _: object) -> None:
        self.written = {
            "a": [("1", "one"), ("3", "three")],
            "b": [("2", "two"), ("4", "four")],
        }

    def past(self, pod: dict[str, Any], _: int | None) -> list[Stamped]:
        name = pod["metadata"]["name"]
        return [Stamped(at, LogLine(text, name)) for at, text in self.written[name]]


@pytest.fixture
def two_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    pods = [{"metadata": {"name": name}} for name in "ab"]
    monkeypatch.setattr(logs, "pods_of", lambda *_: pods)
    monkeypatch.setattr(logs, "Source", FakeSource)


def texts(tail: int | None) -> list[str]:
    nothing: Any = None
    return [each.text for each in logs.read(nothing, "iris", follow=False, tail=tail)]


@pytest.mark.usefixtures("two_pods")
def test_lines_of_all_pods_come_in_order_of_time() -> None:
    assert texts(None) == ["one", "two", "three", "four"]


@pytest.mark.usefixtures("two_pods")
def test_the_tail_is_the_last_of_all_pods_together() -> None:
    assert texts(3) == ["two", "three", "four"]
    assert texts(0) == []


def test_lines_are_whole_however_they_come() -> None:
    response = FakeResponse(b"1 on", b"e\r\n2 tw", b"o\n\n3 \xc3", b"\xa4")

    assert list(_split(response)) == ["1 one", "2 two", "", "3 ä"]
