"""What the worker and a predictor process say to each other.

A frame is a header of fixed size, plain values as MessagePack, and a body as it is:
bodies are never parsed and never joined to anything.
"""

from collections.abc import Sequence
from enum import IntEnum
from struct import Struct
from typing import Any

from msgspec.msgpack import Decoder, Encoder

HEADER = Struct("<BQIQ")
"""Kind, number of the call or question, bytes of the values, bytes of the body."""


class Kind(IntEnum):
    """What a frame means.

    Each CALL ends in an ANSWER, or in an ANSWER, CHUNKs and an END, or in a FREED;
    each ASK in a TOLD.
    """

    CALL = 0
    """Run this call: query, fields, id, body."""
    GIVE_UP = 1
    """Nobody waits for this call any more."""
    WRITTEN = 2
    """The response of this call is on the wire: what follows it may run."""
    ASK = 3
    """A question: name, data."""
    READY = 4
    """The predictor is ready: what the public address has to know of it."""
    FAILED = 5
    """The predictor cannot be started: why, as JSON."""
    ANSWER = 6
    """Status, content type, fields, what comes after it, body."""
    FREED = 7
    """A call that was given up is over."""
    TOLD = 8
    """The reply to a question: data, or what went wrong."""
    CHUNK = 9
    """A part of a body that is made while it is sent."""
    END = 10
    """The end of such a body: what it counts as, whether it is whole, last words."""
    TAKEN = 11
    """The client has taken so many bytes of such a body."""


DRAIN = "drain"
"""The question that every predictor process answers: seconds to end its hooks in."""

_encoder, _decoder = Encoder(), Decoder()


def head(kind: int, number: int, values: Sequence[Any], size: int) -> bytes:
    """All of a frame but its body, which has `size` bytes."""
    told = _encoder.encode(values)
    return HEADER.pack(kind, number, len(told), size) + told


def values_of(told: memoryview) -> list[Any]:
    """The values of a frame, as they were given to `head`; tuples come as lists."""
    values: list[Any] = _decoder.decode(told)
    return values
