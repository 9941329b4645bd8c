"""What a predictor yields, written as chunks or as server-sent events."""

from typing import Any

from cortex_server.worker.answer import Answer
from cortex_server.worker.call import Call
from cortex_server.worker.results import json_of

EVENTS = "text/event-stream"
_LINES = "application/x-ndjson"
_TEXT = "text/plain; charset=utf-8"
_BYTES = "application/octet-stream"
_FIELDS = {"cache-control": "no-cache", "x-accel-buffering": "no"}
MOST_KEPT = 1000
"""Items that a hook gets to see."""


class Writer:
    """Turns items into bytes: bytes as they are, text as such, the rest as JSON.

    Args:
        as_events: Whether text and JSON are framed as server-sent events, else JSON is
            one line per item.
        keeps: Whether the first items are kept for a hook.
    """

    def __init__(self, *, as_events: bool, keeps: bool) -> None:
        self._as_events = as_events
        self._content_type = EVENTS if as_events else ""
        self.kept: list[Any] | None = [] if keeps else None

    def write(self, item: Any) -> bytes:  # noqa: ANN401  # the user's data
        """One item as it goes over the wire."""
        if self.kept is not None and len(self.kept) < MOST_KEPT:
            self.kept.append(item)
        kind, content = _written(item)
        self._content_type = self._content_type or kind
        if kind == _BYTES:
            return content
        if self._as_events:
            return _event(content)
        return content if kind == _TEXT else content + b"\n"

    def answer(self) -> Answer:
        """The answer that the items are the body of; the first one says what it is."""
        return Answer(b"", self._content_type or _LINES, fields=_FIELDS)


def wants_events(call: Call) -> bool:
    """Whether the caller accepts server-sent events by name."""
    accepted = b",".join(value for name, value in call.fields if name == b"accept")
    kinds = (part.partition(b";")[0].strip() for part in accepted.lower().split(b","))
    return EVENTS.encode() in kinds


def error_event(problem: bytes) -> bytes:
    """The last event of a stream that cannot go on."""
    return b"event: error\n" + _event(problem)


def _written(item: Any) -> tuple[str, bytes]:  # noqa: ANN401  # the user's data
    if isinstance(item, bytes | bytearray | memoryview):
        return _BYTES, bytes(item)
    if isinstance(item, str):
        return _TEXT, item.encode()
    return _LINES, json_of(item)


def _event(content: bytes) -> bytes:
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"".join(b"data: %b\n" % line for line in lines) + b"\n"
