"""Bodies of requests and responses, by content type, from type hints."""

import typing
from collections.abc import AsyncIterable, Iterable, Iterator
from functools import cached_property
from types import UnionType
from typing import Any, Literal, Union

import orjson
from sanic.response import BaseHTTPResponse

from cortex_server.worker.openapi.example import NoExampleError, example_of

Json = dict[str, Any]

JSON, TEXT, BYTES = "application/json", "text/plain", "application/octet-stream"
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
LINES, EVENTS = "application/x-ndjson", "text/event-stream"
SCHEMAS = "#/components/schemas/"
_TEXT: Json = {"schema": {"type": "string"}}
_ANY: Json = {"schema": {}}
_AS_IT_IS: dict[type, Json] = {
    BaseHTTPResponse: {"*/*": _ANY},
    str: {TEXT: _TEXT},
    bytes: {BYTES: _ANY},
    bytearray: {BYTES: _ANY},
    memoryview: {BYTES: _ANY},
}


class Hint:
    """A type hint with its JSON schema, and the schemas that this refers to.

    Args:
        hint: None where there is none.
        is_input: Whether it is of a payload rather than of a result.
        ending: Of the names of the schemas that it refers to.
    """

    def __init__(self, hint: Any, *, is_input: bool, ending: str = "") -> None:  # noqa: ANN401  # a type hint
        self.hint = hint
        self._is_input = is_input
        self._ending = ending

    @cached_property
    def _whole(self) -> Json:
        # Types that need pydantic have it loaded; a replica without them starts sooner.
        from cortex_server.worker.schema import SchemaError, schema_of  # noqa: PLC0415

        try:
            refs = f"{SCHEMAS}{{model}}{self._ending}"
            return schema_of(self.hint, is_input=self._is_input, refs=refs)
        except SchemaError:
            return {}

    @property
    def schema(self) -> Json:
        """The schema; {} of a type that has none."""
        return {key: one for key, one in self._whole.items() if key != "$defs"}

    @property
    def definitions(self) -> Json:
        """What the schema refers to, by name."""
        found: Json = self._whole.get("$defs", {})
        return {f"{name}{self._ending}": one for name, one in found.items()}

    def example(self) -> Json:
        """A value to begin with, as a media type has it; {} where there is none."""
        try:
            value = example_of(self.schema, self.definitions)
            self._check(value)
        except (NoExampleError, ValueError, KeyError, TypeError, RecursionError):
            return {}
        return {"example": value}

    def _check(self, value: Any) -> None:  # noqa: ANN401  # any JSON
        """Raise ValueError if the type has a rule that the schema does not tell."""
        from pydantic import TypeAdapter  # noqa: PLC0415  # see _whole

        from cortex_server.worker.checkable import checkable  # noqa: PLC0415  # see _whole

        TypeAdapter(checkable(self.hint)).validate_json(orjson.dumps(value))


def request_content(hint: Hint) -> Json:
    """What the body of a prediction may be, by content type."""
    kind = hint.hint
    if kind is None or kind is Any:
        forms = {FORM: {"schema": {"type": "object"}}}
        files = {MULTIPART: {"schema": {"type": "object"}}}
        return {JSON: _ANY, TEXT: _TEXT, BYTES: _ANY, **forms, **files}
    if kind is bytes:
        return {BYTES: _ANY}
    if kind is str:
        return {TEXT: _TEXT}
    return {JSON: {"schema": hint.schema, **hint.example()}}


def response_content(hint: Hint) -> Json:
    """What the body of an answer may be, by content type."""
    if hint.hint is None or hint.hint is Any:
        return {JSON: _ANY, TEXT: _TEXT, BYTES: _ANY}
    found: Json = {}
    for kind in _options(hint.hint):
        found |= _written(kind, hint)
    return found


def _options(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401  # a type hint
    """The types that a result may have: of `str | dict` both."""
    origin: Any = typing.get_origin(hint)
    if origin is Union or origin is UnionType:
        return typing.get_args(hint)
    if origin is typing.Annotated:
        return _options(typing.get_args(hint)[0])
    return (hint,)


def _written(kind: Any, hint: Hint) -> Json:  # noqa: ANN401  # a type hint
    origin: Any = typing.get_origin(kind)
    if origin is Literal:
        return _literal(kind, hint)
    cls = origin or kind
    if not isinstance(cls, type):
        return {JSON: {"schema": hint.schema}}
    if cls is Iterable or issubclass(cls, AsyncIterable | Iterator):
        return _stream(typing.get_args(kind))
    for special, content in _AS_IT_IS.items():
        if issubclass(cls, special):
            return content
    return {JSON: {"schema": hint.schema}}


def _literal(kind: Any, hint: Hint) -> Json:  # noqa: ANN401  # a type hint
    values = typing.get_args(kind)
    found: Json = {}
    if any(isinstance(value, str) for value in values):
        found[TEXT] = {"schema": hint.schema}
    if any(not isinstance(value, str) for value in values):
        found[JSON] = {"schema": hint.schema}
    return found


def _stream(items: tuple[Any, ...]) -> Json:
    """By what is yielded, lines where nothing is; events by request."""
    item = items[0] if items else Any
    if item is Any:
        return {LINES: _TEXT, TEXT: _TEXT, EVENTS: _TEXT, BYTES: _ANY}
    kind = TEXT if item is str else BYTES if item is bytes else LINES
    return {kind: _ANY if kind == BYTES else _TEXT, EVENTS: _TEXT, LINES: _TEXT}
