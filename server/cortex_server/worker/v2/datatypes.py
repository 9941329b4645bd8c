"""The datatypes of the protocol, and their elements as Python and numpy have them."""

import struct
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

BYTES, BF16, BOOL = "BYTES", "BF16", "BOOL"

SIZES = {
    BOOL: 1,
    "UINT8": 1,
    "UINT16": 2,
    "UINT32": 4,
    "UINT64": 8,
    "INT8": 1,
    "INT16": 2,
    "INT32": 4,
    "INT64": 8,
    "FP16": 2,
    BF16: 2,
    "FP32": 4,
    "FP64": 8,
}
"""Bytes of an element, of every datatype but BYTES."""

Datatype = Literal[
    "BOOL",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "INT8",
    "INT16",
    "INT32",
    "INT64",
    "FP16",
    "BF16",
    "FP32",
    "FP64",
    "BYTES",
]

_CODES = dict(zip(SIZES, "?BHIQbhiqeHfd", strict=True))
_NUMPY = {
    BOOL: "bool",
    **{kind: kind.lower() for kind in SIZES if "INT" in kind},
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
}
_DATATYPES = {name: kind for kind, name in _NUMPY.items()} | {"bfloat16": BF16}
_LENGTH = struct.Struct("<I")


def numpy_name(datatype: str) -> str | None:
    """The type of numpy's that is the same, None for BYTES and BF16."""
    return _NUMPY.get(datatype)


def datatype_of(numpy_name: str) -> str | None:
    """The datatype that is the same as a type of numpy's."""
    return _DATATYPES.get(numpy_name)


def family(datatype: str) -> str:
    """What the elements are: numbers, integers, booleans or text."""
    if datatype in (BOOL, BYTES):
        return {BOOL: "booleans", BYTES: "text or bytes"}[datatype]
    return "integers" if "INT" in datatype else "numbers"


def accepts(wanted: str, given: str) -> bool:
    """Whether values of a datatype may be given where another one is declared."""
    return family(given) == family(wanted) or (
        family(wanted) == "numbers" and family(given) == "integers"
    )


def checked(datatype: str, values: list[Any]) -> list[Any]:
    """Elements that were written as JSON; numbers become floats where these are meant.

    Raises:
        ValueError: One of them is not of the datatype; the message says which.
    """
    try:
        found: list[Any] = msgspec.convert(values, _LISTS[datatype])
    except msgspec.ValidationError as error:
        msg = f"`data` is not {datatype}: {error}"
        raise ValueError(msg) from None
    if datatype == "UINT64" and max(found, default=0) > _MOST:
        msg = f"`data` is not UINT64: {max(found)} is too large"
        raise ValueError(msg)
    return found


def _list_of(datatype: str) -> Any:  # noqa: ANN401  # a type hint
    if datatype == "UINT64":  # msgspec knows no limits of more than 63 bits
        return list[Annotated[int, msgspec.Meta(ge=0)]]
    if "INT" in datatype:
        bits = 8 * SIZES[datatype]
        low, high = (0, bits) if datatype[0] == "U" else (-(1 << bits - 1), bits - 1)
        return list[Annotated[int, msgspec.Meta(ge=low, le=(1 << high) - 1)]]
    named = {BOOL: list[bool], BYTES: list[str]}
    return named.get(datatype, list[float])


_MOST = (1 << 64) - 1
_LISTS = {datatype: _list_of(datatype) for datatype in (*SIZES, BYTES)}


def unpacked(datatype: str, data: memoryview) -> list[Any]:
    """Elements of binary data, as Python has them.

    Raises:
        ValueError: The data is not made of whole elements.
    """
    if datatype == BYTES:
        return _strings(data)
    number, left = divmod(len(data), SIZES[datatype])
    if left:
        msg = f"{len(data)} bytes are not a whole number of {datatype} elements"
        raise ValueError(msg)
    values = list(struct.unpack(f"<{number}{_CODES[datatype]}", data))
    return _widened(values) if datatype == BF16 else values


def packed(datatype: str, values: Sequence[Any]) -> bytes:
    """Elements as binary data; text is UTF-8."""
    if datatype == BYTES:
        return b"".join(_LENGTH.pack(len(raw)) + raw for raw in map(_raw, values))
    return struct.pack(f"<{len(values)}{_CODES[datatype]}", *values)


def _raw(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _widened(halves: list[int]) -> list[Any]:
    """BF16 as floats: it is the upper half of an FP32."""
    number = len(halves)
    words = struct.pack(f"<{number}I", *(half << 16 for half in halves))
    return list(struct.unpack(f"<{number}f", words))


def _strings(data: memoryview) -> list[bytes]:
    """Each has its length in front, in four bytes."""
    found, at, end = [], 0, len(data)
    while at < end:
        if end - at < _LENGTH.size:
            msg = "the last BYTES element has no whole length in front of it"
            raise ValueError(msg)
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if end - at < length:
            msg = f"a BYTES element of {length} bytes has only {end - at}"
            raise ValueError(msg)
        found.append(bytes(data[at : at + length]))
        at += length
    return found
