"""Forms of the web: fields, and files among them. Everything stays in memory."""

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from multidict import MultiDict
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from cortex_server.worker.charsets import CharsetError, text_of

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_MULTIPART = b"multipart/form-data"
MOST_FIELDS = 10_000
_PLAIN = "text/plain"


class FormError(ValueError):
    """A body is no complete form; the message says why."""


class File(NamedTuple):
    """A file in a form."""

    name: str
    """As the sender has it: no path to write to."""
    type: str
    body: bytes


Value = str | File


def form_of(body: bytes, content_type: str) -> MultiDict[Value]:
    """Fields in their order; one that has a file name is a File.

    Raises:
        FormError: It is incomplete, has too many fields, or no right text.
    """
    kind, options = parse_options_header(content_type)
    try:
        if kind == _MULTIPART:
            return _multipart(body, options.get(b"boundary", b""))
        text = body.decode()
        found = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except (FormParserError, UnicodeDecodeError):
        msg = "it is not built as a form, or not as its content type says"
        raise FormError(msg) from None
    except CharsetError as error:
        msg = f"a field is {error}"
        raise FormError(msg) from None
    except FormError:
        raise
    except ValueError:  # of parse_qsl, which counts
        raise FormError(_TOO_MANY) from None
    return MultiDict(found)


def _multipart(body: bytes, boundary: bytes) -> MultiDict[Value]:
    if not boundary:
        msg = "its content type names no boundary"
        raise FormError(msg)
    parts = _Parts()
    parser = MultipartParser(boundary, parts.callbacks)
    parser.write(body)
    if not parts.is_complete:
        msg = "its last boundary is missing"
        raise FormError(msg)
    return parts.fields


class _Parts:
    """Collects what the parser finds."""

    def __init__(self) -> None:
        self.fields: MultiDict[Value] = MultiDict()
        self.is_complete = False
        self._name = self._value = b""
        self._headers: dict[bytes, bytes] = {}
        self._data: list[bytes] = []

    @property
    def callbacks(self) -> "MultipartCallbacks":
        """What the parser is to call."""
        return {
            "on_part_begin": self.part_begin,
            "on_header_field": self.header_field,
            "on_header_value": self.header_value,
            "on_header_end": self.header_end,
            "on_part_data": self.part_data,
            "on_part_end": self.part_end,
            "on_end": self.end,
        }

    def part_begin(self) -> None:
        self._headers, self._data = {}, []

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def part_data(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])

    def part_end(self) -> None:
        disposition = self._headers.get(b"content-disposition", b"").decode("latin-1")
        _, options = parse_options_header(disposition)
        if b"name" not in options:
            msg = "a part of it has no name"
            raise FormError(msg)
        if len(self.fields) >= MOST_FIELDS:
            raise FormError(_TOO_MANY)
        name = options[b"name"].decode(errors="replace")
        self.fields.add(name, self._content(options.get(b"filename")))

    def end(self) -> None:
        self.is_complete = True

    def _content(self, filename: bytes | None) -> Value:
        body = b"".join(self._data)
        header = self._headers.get(b"content-type", _PLAIN.encode()).decode("latin-1")
        kind, options = parse_options_header(header)
        if filename is None:
            charset = options.get(b"charset", b"utf-8").decode("latin-1")
            return text_of(body, charset)
        return File(filename.decode(errors="replace"), kind.decode("latin-1"), body)


_TOO_MANY = f"it has more than {MOST_FIELDS} fields"
