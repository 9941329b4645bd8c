"""A response before it is written: what the two ways out have in common."""

from collections.abc import Callable, Mapping

from multidict import CIMultiDict

NO_FIELDS: Mapping[str, str] = {}
JSON = "application/json"

_FRAMING = ("connection", "content-length", "transfer-encoding", "x-request-id")
_LINE_ENDS = str.maketrans("\r\n\0", "   ")
_LOWEST, _HIGHEST = 200, 999


class Answer:
    """Status, body and header fields of a response."""

    __slots__ = ("after", "body", "content_type", "fields", "status")

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
        self.after: Callable[[], None] | None = None
        """What is to be called when it is on the wire."""


def is_status(status: object) -> bool:
    """Whether it can be the status of a response."""
    return isinstance(status, int) and _LOWEST <= status <= _HIGHEST


def fields_of(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Header fields of the user's as they may be written.

    None says where the response ends, and none begins another one.
    """
    fields = CIMultiDict(
        (_line(name).encode("ascii", "replace").decode(), _line(value))
        for name, value in headers.items()
    )
    for name in _FRAMING:
        fields.popall(name, None)
    return fields


def _line(text: object) -> str:
    line = str(text).translate(_LINE_ENDS)
    try:
        line.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return line.encode(errors="replace").decode()
    return line
