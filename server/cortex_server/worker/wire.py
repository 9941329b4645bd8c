"""Plain predictions as bytes: reading a request, writing a response."""

from http import HTTPStatus

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from cortex_server.worker.answer import Answer
from cortex_server.worker.call import Call

_UNUSUAL = frozenset(
    (b"connection", b"content-encoding", b"expect", b"transfer-encoding", b"upgrade")
)
_HEAD_END = b"\r\n\r\n"
_SMALL = 1 << 14
"""Bytes up to which a request is parsed whole; of a larger one only the head is, since
the parser would copy each piece of the body."""

_WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
_STATUS_LINES = {
    status.value: b"HTTP/1.1 %d %b\r\n" % (status.value, status.phrase.encode())
    for status in HTTPStatus
}
_LINE_ENDS = str.maketrans("\r\n\0", "   ")


class Reader:
    """Reads plain predictions of one connection with llhttp, one after another.

    Args:
        paths: Where predictions are sent to.
        largest: Bytes that a body may have.
    """

    __slots__ = (
        "_body",
        "_chunks",
        "_fields",
        "_is_unusual",
        "_is_whole",
        "_largest",
        "_length",
        "_missing",
        "_parser",
        "_paths",
        "_url",
        "call",
        "rest",
    )

    _is_whole: bool

    def __init__(self, paths: frozenset[bytes], largest: int) -> None:
        self._paths = paths
        self._largest = largest
        self._parser = HttpRequestParser(self)
        self._body = bytearray()
        self._missing = 0
        self._reset()
        self.call = Call(b"", b"", [])
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
        if not data.startswith(b"POST "):
            return False
        self._reset()
        end = len(data)
        if end > _SMALL:
            end = data.find(_HEAD_END) + len(_HEAD_END)
        try:
            self._parser.feed_data(data if end == len(data) else data[:end])
        except (HttpParserError, HttpParserUpgrade):
            self._is_unusual = True
        path, _, query = self._url.partition(b"?")
        self._is_unusual |= (
            path not in self._paths
            or self._length > self._largest
            or self._parser.get_http_version() != "1.1"
        )
        if not self._is_unusual:
            self.call = Call(b"", query, self._fields)
            if self._is_whole:
                self.call.body = b"".join(self._chunks)
                return True
            if self._expect(data):
                return True
        self._parser = HttpRequestParser(self)
        return False

    def go_on(self, data: bytes) -> bool:
        """Take more of the body; True when it is whole, what follows is `rest`."""
        took = min(len(data), self._missing)
        start = len(self._body) - self._missing
        self._body[start : start + took] = data if took == len(data) else data[:took]
        self._missing -= took
        if self._missing:
            return False
        self.call.body = bytes(self._body)
        self.rest = data[took:]
        self._body = bytearray()
        return True

    def on_url(self, url: bytes) -> None:
        """Of the parser: the target, or a part of it."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Of the parser: a header field."""
        name = name.lower()
        self._fields.append((name, value))
        if name == b"content-length":
            self._length = int(value)
        elif name in _UNUSUAL:
            self._is_unusual = True

    def on_body(self, body: bytes) -> None:
        """Of the parser: a piece of the body."""
        self._chunks.append(body)

    def on_message_complete(self) -> None:
        """Of the parser: the request is whole; a second one is for Sanic."""
        self._is_unusual |= self._is_whole
        self._is_whole = True

    def _expect(self, data: bytes) -> bool:
        """Get ready for the rest of a body; False when not even the head is whole."""
        start = data.find(_HEAD_END)
        if start < 0 or not self._length:
            return False
        self._parser = HttpRequestParser(self)  # this one waits for the body
        self._body = bytearray(self._length)
        self._missing = self._length
        self.go_on(data[start + len(_HEAD_END) :])
        return True

    def _reset(self) -> None:
        self._url = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._chunks: list[bytes] = []
        self._is_unusual = False
        self._is_whole = False
        self._length = 0
        self.rest = b""


def written(answer: Answer, request_id: bytes, connection: bytes) -> bytes:
    """A response as it goes over the wire; `connection` is keep-alive or close."""
    head = _STATUS_LINES.get(answer.status) or b"HTTP/1.1 %d \r\n" % answer.status
    fields = _fields(answer) if answer.fields else b""
    end = b"connection: %b\r\nx-request-id: %b\r\n\r\n" % (connection, request_id)
    if answer.status in _WITHOUT_BODY:
        return b"%b%b%b" % (head, fields, end)
    return b"%bcontent-length: %d\r\ncontent-type: %b\r\n%b%b%b" % (
        head,
        len(answer.body),
        answer.content_type.encode("latin-1"),
        fields,
        end,
        answer.body,
    )


def _fields(answer: Answer) -> bytes:
    """Header fields; a line end in a value would begin a field of its own."""
    lines = (
        f"{name}: {str(value).translate(_LINE_ENDS)}\r\n"
        for name, value in answer.fields.items()
    )
    return "".join(lines).encode("utf-8", "surrogateescape")
