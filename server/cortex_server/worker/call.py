"""A request for a prediction, whoever read it from the wire."""

import re
from contextvars import ContextVar
from itertools import count
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from multidict import CIMultiDict, MultiDict

_ID = re.compile(rb"[!-~]{1,200}")
_TRACE = re.compile(  # as W3C Trace Context has it: no version ff, no id of zeros
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?"
)
_PREFIX = str(uuid4())[:24]
_numbers = count(1)


class Call:
    """Body, headers and query of a request; the rest is worked out when asked for.

    Args:
        body: The whole body.
        query: What follows the question mark in the URL, b"" where nothing does.
        fields: Header fields in order, names in lower case.
        model: Name and version of the model that it asks for in the Open Inference
            Protocol, None for a plain prediction.
        known_as: Its id, if it has got one already.
    """

    __slots__ = ("_id", "asked", "body", "fields", "model", "query")

    asked: Any
    """What a request in the Open Inference Protocol asks for, once it is read."""

    def __init__(
        self,
        body: bytes,
        query: bytes,
        fields: list[tuple[bytes, bytes]],
        model: tuple[str, str] | None = None,
        known_as: bytes = b"",
    ) -> None:
        self.body = body
        self.query = query
        self.fields = fields
        self.model = model
        self._id = known_as

    def field(self, wanted: bytes) -> bytes:
        """Value of the first header field of that name, b"" where there is none."""
        for name, value in self.fields:
            if name == wanted:
                return value
        return b""

    def without_body(self) -> "Call":
        """The same call for those who have no use for the body, which may be large."""
        call = Call(b"", self.query, self.fields)
        call._id = self.id
        return call

    @property
    def id(self) -> bytes:
        """The caller's `x-request-id` if it is fit for headers and logs, or a new one.

        A new one looks like a UUID: random per process, then a number.
        """
        if not self._id:
            given = self.field(b"x-request-id")
            fits = given and _ID.fullmatch(given)
            self._id = given if fits else b"%s%012x" % (_PREFIX_BYTES, next(_numbers))
        return self._id

    @property
    def request_id(self) -> str:
        """The id as text."""
        return self.id.decode()

    @property
    def trace_id(self) -> str:
        """The trace that the caller's `traceparent` names, "" where it names none."""
        trace = _TRACE.fullmatch(self.field(b"traceparent"))
        return trace[1].decode() if trace else ""

    @property
    def content_type(self) -> str:
        """The header of that name, "" where there is none."""
        return self.field(b"content-type").decode("latin-1")

    @property
    def headers(self) -> CIMultiDict[str]:
        """All header fields; names are found in any case."""
        return CIMultiDict(
            (name.decode("latin-1"), value.decode("utf-8", "surrogateescape"))
            for name, value in self.fields
        )

    @property
    def query_params(self) -> MultiDict[str]:
        """The query, decoded; blank values are kept."""
        text = self.query.decode("ascii", "surrogateescape")
        return MultiDict(parse_qsl(text, keep_blank_values=True))


_PREFIX_BYTES = _PREFIX.encode()

NOTHING = Call(b"", b"", [])
"""Where no call is."""

current: ContextVar[Call | None] = ContextVar("cortex_call", default=None)
"""The call that this thread or task works for; log lines carry its ids."""

together: ContextVar[list[Call]] = ContextVar("cortex_calls", default=[])  # noqa: B039  # nobody adds to it
"""The calls that one call of the predictor answers, where it answers several."""
