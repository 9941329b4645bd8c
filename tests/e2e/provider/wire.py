"""Property values between the engine and the stand-in: plain Python and two marks.

A value is JSON, with `Secret` around what must stay secret and `UNKNOWN` for what only
a real run will tell. The signatures are those of the Pulumi SDK.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf import struct_pb2
from pulumi.runtime import rpc

Object = dict[str, Any]
"""A Kubernetes object, or any other JSON object."""


class _Unknown:
    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()
"""A value that a preview cannot know."""


@dataclass(frozen=True)
class Secret:
    """A value that the engine encrypts in its state and hides on the screen."""

    value: Any = field(repr=False)


def decode(struct: struct_pb2.Struct) -> Object:
    """Read properties that the engine sent."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def encode(values: Mapping[str, Any]) -> struct_pb2.Struct:
    """Write properties for the engine."""
    return struct_pb2.Struct(fields={key: _encode(v) for key, v in values.items()})


def plain(value: Any) -> Any:
    """The value without its marks of secrecy; unknown parts stay `UNKNOWN`."""
    match value:
        case Secret():
            return plain(value.value)
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


def has_unknown(value: Any) -> bool:
    """Whether some part of the value is known only to a real run."""
    match value:
        case Secret():
            return has_unknown(value.value)
        case dict():
            return any(map(has_unknown, value.values()))
        case list():
            return any(map(has_unknown, value))
    return value is UNKNOWN


def has_secret(value: Any) -> bool:
    """Whether some part of the value is secret."""
    match value:
        case dict():
            return any(map(has_secret, value.values()))
        case list():
            return any(map(has_secret, value))
    return isinstance(value, Secret)


def _decode(value: struct_pb2.Value) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return _decode_struct(value.struct_value)
        case "list_value":
            return [_decode(item) for item in value.list_value.values]
        case "string_value":
            return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
    return None


def _decode_struct(struct: struct_pb2.Struct) -> Any:
    if rpc._special_sig_key not in struct.fields:
        return decode(struct)
    signature = struct.fields[rpc._special_sig_key].string_value
    if signature == rpc._special_secret_sig:
        return Secret(_decode(struct.fields["value"]))
    raise ValueError(
        "The stand-in for the Kubernetes provider takes values and secrets, "
        f"no assets, archives or references (signature {signature})."
    )


def _encode(value: Any) -> struct_pb2.Value:
    match value:
        case Secret():
            marked = {
                rpc._special_sig_key: rpc._special_secret_sig,
                "value": value.value,
            }
            return struct_pb2.Value(struct_value=encode(marked))
        case dict():
            return struct_pb2.Value(struct_value=encode(value))
        case list():
            items = struct_pb2.ListValue(values=[_encode(item) for item in value])
            return struct_pb2.Value(list_value=items)
    return _encode_scalar(value)


def _encode_scalar(value: Any) -> struct_pb2.Value:
    match value:
        case bool():
            return struct_pb2.Value(bool_value=value)
        case int() | float():
            return struct_pb2.Value(number_value=value)
        case str():
            return struct_pb2.Value(string_value=value)
        case None:
            return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    return struct_pb2.Value(string_value=rpc.UNKNOWN)
