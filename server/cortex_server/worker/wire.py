"""Plain predictions as bytes: reading a request, writing a response."""

from http import HTTPStatus

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from sanic.helpers import STATUS_CODES

from cortex_server.worker.answer import Answer
from cortex_server.worker.call import NOTHING, Call
from cortex_server.worker.grammar import LONGEST_TARGET, MOST_FIELDS

_TELLING = frozenset(
    (
        *(b"connection", b"content-encoding", b"content-length", b"expect", b"host"),
        *(b"transfer-encoding", b"upgrade"),
    )
)
"""Fields that say how the rest is to be read."""
_METHOD, _VERSION = b"POST ", b"HTTP/1.1"
_LINE_END, _HEAD_END = b"\r\n", b"\r\n\r\n"

_NO_NAME = b"HTTP/1.1 %d UNKNOWN\r\n"  # as Sanic has it
_WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
_STATUS_LINES = {
    status: b"HTTP/1.1 %d %b\r\n" % (status, name)
    for status, name in STATUS_CODES.items()
}


class Reader:
    """Reads plain predictions of one connection with llhttp, one after another.

    Args:
        paths: Where predictions are sent to.
        largest: Bytes that a body may have.
        largest_head: Bytes that a head may have. A request that is larger is parsed
            no further than to the end of its head: the parser copies what it reads.
    """

    __slots__ = (
        "_chunks",
        "_fields",
        "_hosts",
        "_is_begun",
        "_is_unusual",
        "_largest",
        "_largest_head",
        "_length",
        "_lines",
        "_missing",
        "_parser",
        "_paths",
        "call",
        "rest",
    )

    def __init__(
        self, paths: frozenset[bytes], largest: int, largest_head: int
    ) -> None:
        self._paths = paths
        self._lines = tuple(b"POST %b HTTP/1.1\r\n" % path for path in paths)
        self._largest = largest
        self._largest_head = largest_head
        self._parser = HttpRequestParser(self)
        self._chunks: list[bytes] = []
        self._missing = 0
        self._is_begun = False
        self._reset()
        self.call = NOTHING
        """The request read last."""
        self.rest = b""
        """What came after it."""

    @property
    def is_reading(self) -> bool:
        """Whether a part of the body has still to come."""
        return self._missing > 0

    def begin(self, data: bytes) -> bool:
        """Read a request that begins here.

        Returns False, and has no memory of it, unless it is a plain prediction: its
        head is there and holds nothing that changes how the rest is to be read.
        """
        start = data.find(_HEAD_END, 0, self._largest_head) + len(_HEAD_END)
        if start < len(_HEAD_END):
            return False
        query = b"" if data.startswith(self._lines) else self._query_of(data)
        if query is None:
            return False
        self._is_begun = False
        is_small = len(data) <= self._largest_head
        try:
            self._parser.feed_data(data if is_small else data[:start])
        except (HttpParserError, HttpParserUpgrade):
            self._is_unusual = True
        body = data[start:]
        missing = self._length - len(body)
        self._is_unusual |= self._hosts != 1 or len(self._fields) > MOST_FIELDS
        # Where there is too much, a part of the next request is there.
        if self._is_unusual or missing < 0 or self._length > self._largest:
            self._parser = HttpRequestParser(self)
            return False
        if missing or not is_small:  # the parser waits for a body it will not see
            self._parser = HttpRequestParser(self)
        self.call = Call(body, query, self._fields)
        if missing:
            self._chunks, self._missing = [body], missing
        return True

    def _query_of(self, data: bytes) -> bytes | None:
        """The query in the request line, None unless it is that of a prediction."""
        if not data.startswith(_METHOD):
            return None
        line = data[len(_METHOD) : data.find(_LINE_END)]
        target, _, version = line.partition(b" ")
        path, _, query = target.partition(b"?")
        if path not in self._paths or version != _VERSION or b"#" in query:
            return None
        return query if len(target) <= LONGEST_TARGET else None

    def go_on(self, data: bytes) -> bool:
        """Take more of the body; True when it is whole, what follows is `rest`."""
        took = min(len(data), self._missing)
        self._chunks.append(data if took == len(data) else data[:took])
        self._missing -= took
        if self._missing:
            return False
        self.call.body = b"".join(self._chunks)
        self._chunks = []
        self.rest = data[took:]
        return True

    def forget(self) -> None:
        """Have no memory of the request read last."""
        self.call, self._chunks, self._missing = NOTHING, [], 0

    def on_message_begin(self) -> None:
        """Of the parser: a request begins; fields of a second one are not ours."""
        if self._is_begun:
            self._is_unusual = True
            return
        self._is_begun = True
        self._reset()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Of the parser: a header field."""
        name = name.lower()
        self._fields.append((name, value))
        if name not in _TELLING:
            return
        if name == b"content-length":
            self._length = int(value)
        elif name == b"host":
            self._hosts += 1
            self._is_unusual |= b" " in value or not value.isascii()
        else:
            self._is_unusual = True

    def _reset(self) -> None:
        self._fields: list[tuple[bytes, bytes]] = []
        self._is_unusual = False
        self._hosts = 0
        self._length = 0
        self.rest = b""


def written(answer: Answer, request_id: bytes, connection: bytes) -> bytes:
    """A response as it goes over the wire; `connection` is keep-alive or close."""
    head = _STATUS_LINES.get(answer.status) or _NO_NAME % answer.status
    fields = _fields(answer) if answer.fields else b""
    end = b"connection: %b\r\nx-request-id: %b\r\n\r\n" % (connection, request_id)
    if answer.status in _WITHOUT_BODY:
        return b"%b%b%b" % (head, fields, end)
    return b"%bcontent-length: %d\r\ncontent-type: %b\r\n%b%b%b" % (
        head,
        len(answer.body),
        answer.content_type.encode("utf-8", "surrogateescape"),
        fields,
        end,
        answer.body,
    )


def streamed_head(
    answer: Answer, request_id: bytes, connection: bytes, *, is_chunked: bool
) -> bytes:
    """The head of a response that is made while it is sent."""
    return b"%b%bcontent-type: %b\r\n%bconnection: %b\r\nx-request-id: %b\r\n\r\n" % (
        _STATUS_LINES.get(answer.status) or _NO_NAME % answer.status,
        b"transfer-encoding: chunked\r\n" if is_chunked else b"",
        answer.content_type.encode("utf-8", "surrogateescape"),
        _fields(answer),
        connection,
        request_id,
    )


def _fields(answer: Answer) -> bytes:
    lines = (f"{name}: {value}\r\n" for name, value in answer.fields.items())
    return "".join(lines).encode("utf-8", "surrogateescape")
