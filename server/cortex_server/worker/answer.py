"""A response before it is written: what the two ways out have in common."""

import re
from collections.abc import Callable, Mapping
from typing import Protocol

from multidict import CIMultiDict

NO_FIELDS: Mapping[str, str] = {}
JSON = "application/json"

_OURS = (
    *("connection", "content-length", "content-type"),
    *("transfer-encoding", "x-request-id"),
)
_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_LINE_ENDS = str.maketrans("\r\n\0", "   ")
_LOWEST, _HIGHEST = 200, 999


class Outlet(Protocol):
    """Where the chunks of a stream go."""

    async def send(self, chunk: bytes) -> None:
        """Pass on a chunk; returns when the next one may be made."""

    def end(self, last: bytes = b"", *, is_whole: bool) -> None:
        """Pass on the last words, and say whether the body is whole or broken off."""


class Streamed(Protocol):
    """A body that is made while it is sent."""

    def attach(self, outlet: Outlet) -> None:
        """Say where it goes; who writes the head of the response does so at once."""

    def break_off(self, answer: "Answer") -> None:
        """Have it end with an error instead of what would still have come."""


class Answer:
    """Status, body and header fields of a response."""

    __slots__ = ("after", "body", "content_type", "fields", "status", "stream")

    def __init__(
        self,
        body: bytes,
        content_type: str = JSON,
        status: int = 200,
        fields: Mapping[str, str] = NO_FIELDS,
    ) -> None:
        self.body = body
        self.content_type = content_type
        self.status = status
        self.fields = fields
        self.stream: Streamed | None = None
        """Makes the body, where `body` does not hold it."""
        self.after: Callable[[], None] | None = None
        """What is to be called when it is on the wire."""


def is_status(status: object) -> bool:
    """Whether it can be the status of a response."""
    return isinstance(status, int) and _LOWEST <= status <= _HIGHEST


def fields_of(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Header fields of the user's as they may be written.

    None says what the body is or where it ends, and none begins another one.
    """
    return CIMultiDict(
        (name, line_of(value))
        for name, value in headers.items()
        if _NAME.fullmatch(name) and name.lower() not in _OURS
    )


def line_of(text: object) -> str:
    """A text of the user's as the value of a header field: one line that encodes."""
    line = str(text).translate(_LINE_ENDS)
    try:
        line.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return line.encode(errors="replace").decode()
    return line
