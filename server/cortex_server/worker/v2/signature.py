"""What tensors a type hint stands for, worked out from its JSON schema."""

from collections.abc import AsyncIterable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from sanic.response import BaseHTTPResponse

from cortex_server.worker.arrays import MARK, origin_of
from cortex_server.worker.v2.datatypes import BOOL, BYTES, datatype_of
from cortex_server.worker.v2.port import Port

Json = dict[str, Any]

_SCALARS = {"number": "FP64", "integer": "INT64", "boolean": BOOL, "string": BYTES}
_NUMBERS = {"FP64", "INT64"}
_RAW = ("binary", "base64", "base64url")
_STREAMS = (AsyncIterable, Iterator)


class UnmappableError(ValueError):
    """A type that is no tensors; the message says why, after the name of the type."""


@dataclass(frozen=True, slots=True)
class Signature:
    """The tensors of a payload or of a result."""

    form: Literal["one", "named", "open"]
    """One tensor that is the whole value, one for each field of it, or one for each
    key of a dict, whatever these are."""
    ports: tuple[Port, ...]
    """Those that are known; of an open one, what each of its tensors must be."""

    def port(self, name: str) -> Port | None:
        """The tensor of that name, None where there is none."""
        if self.form == "open":
            return replace(self.ports[0], name=name)
        if self.form == "one":  # its name is ours, so any will do
            return self.ports[0]
        return next((port for port in self.ports if port.name == name), None)


def signature_of(
    hint: Any,  # noqa: ANN401  # a type hint
    name: str,
    *,
    is_input: bool,
) -> Signature:
    """The tensors of a type; `name` is that of a tensor that has none of its own.

    Raises:
        UnmappableError: It is a type that tensors cannot make.
    """
    if hint is None or hint is Any:
        return Signature("one", (Port(name),))
    if hint is str or hint is bytes:
        raw = hint is bytes
        scalar = Port(name, BYTES, (1,), is_scalar=True, is_raw=raw)
        return Signature("one", (scalar,))
    _refuse_streams(hint)
    schema = _schema(hint, is_input=is_input)
    reader = _Reader(schema.get("$defs", {}))
    found = reader.resolved(schema)
    if found.get("type") == "object":
        return reader.fields(found)
    return Signature("one", (reader.port(name, found),))


def _refuse_streams(hint: Any) -> None:  # noqa: ANN401  # a type hint
    origin = origin_of(hint) or hint
    if not isinstance(origin, type):
        return
    if issubclass(origin, BaseHTTPResponse):
        msg = "is a response as it is"
        raise UnmappableError(msg)
    if origin is Iterable or issubclass(origin, _STREAMS):
        msg = "is a stream"
        raise UnmappableError(msg)


def _schema(hint: Any, *, is_input: bool) -> Json:  # noqa: ANN401  # a type hint
    # Types that need pydantic have it loaded; a replica without them starts sooner.
    from cortex_server.worker.schema import SchemaError, schema_of  # noqa: PLC0415

    try:
        return schema_of(hint, is_input=is_input)
    except SchemaError as error:
        msg = f"has no JSON schema ({error})"
        raise UnmappableError(msg) from None


class _Reader:
    def __init__(self, definitions: Json) -> None:
        self._definitions = definitions

    def resolved(self, schema: Json) -> Json:
        """What a schema refers to; of `X | None`, X."""
        while "$ref" in schema:
            schema = self._definitions[schema["$ref"].rpartition("/")[2]]
        options = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
        if len(options) == 1:
            return self.resolved(options[0])
        return schema

    def fields(self, schema: Json) -> Signature:
        """One tensor for each property, or for each key that a client thinks of."""
        properties = schema.get("properties")
        if properties is None:
            values = schema.get("additionalProperties")
            if not isinstance(values, dict):
                msg = "does not say what its values are"
                raise UnmappableError(msg)
            return Signature("open", (self.port("*", values),))
        required = schema.get("required", ())
        ports = (
            replace(self.port(name, one), is_required=name in required)
            for name, one in properties.items()
        )
        return Signature("named", tuple(ports))

    def port(self, name: str, schema: Json) -> Port:
        schema = self.resolved(schema)
        if MARK in schema:
            kind = schema[MARK]
            return Port(name, datatype_of(kind), is_array=True)
        sizes: list[int] = []
        while schema.get("type") == "array" and MARK not in schema:
            size, schema = self._items(name, schema)
            sizes.append(size)
        datatype = self._datatype(name, schema)
        raw = schema.get("format") in _RAW
        if not sizes:
            return Port(name, datatype, (1,), is_scalar=True, is_raw=raw)
        return Port(name, datatype, tuple(sizes), is_raw=raw)

    def _items(self, name: str, schema: Json) -> tuple[int, Json]:
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        items = [_untitled(self.resolved(one)) for one in schema.get("prefixItems", ())]
        if items and least == most == len(items) and items == items[:1] * len(items):
            return len(items), items[0]
        if items or "items" not in schema:
            msg = f"has a part `{name}` that is no list of things of one kind"
            raise UnmappableError(msg)
        return (least if least == most else -1), self.resolved(schema["items"])

    def _datatype(self, name: str, schema: Json) -> str:
        found = {_scalar(self.resolved(one)) for one in schema.get("anyOf", [schema])}
        if len(found) > 1 and found <= _NUMBERS:
            return "FP64"
        (one,) = found if len(found) == 1 else (None,)
        if one is None:
            msg = f"has a part `{name}` that is neither numbers, booleans nor text"
            raise UnmappableError(msg)
        return one


def _untitled(schema: Json) -> Json:
    return {key: value for key, value in schema.items() if key != "title"}


def _scalar(schema: Json) -> str | None:
    values = schema.get("enum", [schema["const"]] if "const" in schema else ())
    if values and "type" not in schema:
        return None
    return _SCALARS.get(schema.get("type", ""))
