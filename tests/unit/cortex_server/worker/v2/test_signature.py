import dataclasses
import enum
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pydantic
import pytest
import typing_extensions
from annotated_types import Len
from sanic.response import HTTPResponse

from cortex_server.worker.v2.port import Port
from cortex_server.worker.v2.signature import (
    Signature,
    UnmappableError,
    signature_of,
)


class Colour(enum.Enum):
    RED = "red"


class House(pydantic.BaseModel):
    area: float = pydantic.Field(gt=0)
    rooms: int = 1
    street: str | None = None
    flags: list[bool] = []


class Picture(typing_extensions.TypedDict):
    pixels: npt.NDArray[np.uint8]
    label: typing_extensions.NotRequired[bytes]


@dataclasses.dataclass
class Pair:
    left: np.ndarray
    right: list[list[float]]


class Point(NamedTuple):
    x: float
    y: float


class Node(pydantic.BaseModel):
    next: "Node | None" = None


def of(hint: Any, *, is_input: bool = True) -> Signature:
    return signature_of(hint, "payload", is_input=is_input)


def only(hint: Any) -> tuple[str | None, tuple[int, ...] | None]:
    signature = of(hint)
    (port,) = signature.ports
    assert (signature.form, port.name) == ("one", "payload")
    return port.datatype, port.shape


@pytest.mark.parametrize(
    ("hint", "tensor"),
    [
        (None, (None, None)),
        (Any, (None, None)),
        (np.ndarray, (None, None)),
        (npt.NDArray[np.float32], ("FP32", None)),
        (npt.NDArray[np.bool_], ("BOOL", None)),
        (float, ("FP64", (1,))),
        (int, ("INT64", (1,))),
        (bool, ("BOOL", (1,))),
        (str, ("BYTES", (1,))),
        (bytes, ("BYTES", (1,))),
        (int | float, ("FP64", (1,))),
        (Colour, ("BYTES", (1,))),
        (Literal[1, 2], ("INT64", (1,))),
        (list[float], ("FP64", (-1,))),
        (Sequence[str], ("BYTES", (-1,))),
        (list[list[int]], ("INT64", (-1, -1))),
        (tuple[float, ...], ("FP64", (-1,))),
        (tuple[float, float, float], ("FP64", (3,))),
        (tuple[float], ("FP64", (1,))),
        (Point, ("FP64", (2,))),
        (Annotated[list[float], Len(4, 4)], ("FP64", (4,))),
        (list[float] | None, ("FP64", (-1,))),
    ],
)
def test_a_type_of_values_of_one_kind_is_one_tensor(hint: Any, tensor: Any) -> None:
    assert only(hint) == tensor


@pytest.mark.parametrize(
    ("hint", "ports"),
    [
        (
            House,
            [
                ("area", "FP64", (1,), True),
                ("rooms", "INT64", (1,), False),
                ("street", "BYTES", (1,), False),
                ("flags", "BOOL", (-1,), False),
            ],
        ),
        (
            Picture,
            [("pixels", "UINT8", None, True), ("label", "BYTES", (1,), False)],
        ),
        (
            Pair,
            [("left", None, None, True), ("right", "FP64", (-1, -1), True)],
        ),
    ],
)
def test_a_type_with_fields_has_a_tensor_for_each(hint: Any, ports: Any) -> None:
    signature = of(hint)

    assert signature.form == "named"
    assert ports == [
        (port.name, port.datatype, port.shape, port.is_required)
        for port in signature.ports
    ]


def test_a_dict_has_a_tensor_for_each_key() -> None:
    signature = of(dict[str, list[float]])

    assert signature.form == "open"
    assert signature.port("any") == Port("any", "FP64", (-1,))


def test_a_tensor_without_a_name_of_its_own_answers_to_any() -> None:
    assert of(float).port("input-0") == of(float).port("payload")
    assert of(House).port("input-0") is None


@pytest.mark.parametrize(
    ("hint", "reason"),
    [
        (list[House], "neither numbers, booleans nor text"),
        (dict[str, Any], "does not say what its values are"),
        (dict, "does not say"),
        (list, "neither numbers"),
        (tuple[int, str], "no list of things of one kind"),
        (Node, "neither numbers"),
        (int | str, "neither numbers"),
        (list[int] | dict[str, int], "neither numbers"),
        (Literal[1, "a"], "neither numbers"),
        (Iterator[str], "is a stream"),
        (AsyncIterator[str], "is a stream"),
        (Iterable[str], "is a stream"),
        (HTTPResponse, "is a response"),
        (type("Own", (), {}), "has no JSON schema"),
    ],
)
def test_a_type_that_is_no_tensors_says_why(hint: Any, reason: str) -> None:
    with pytest.raises(UnmappableError, match=reason):
        of(hint, is_input=False)


def test_what_has_no_word_in_the_protocol_is_told_by_parameters() -> None:
    (port,) = of(np.ndarray).ports

    assert port.metadata() == {
        "name": "payload",
        "datatype": "FP32",
        "shape": [-1],
        "parameters": {"datatype": "any", "shape": "any"},
    }
    (port,) = of(list[list[float]]).ports
    assert port.metadata() == {
        "name": "payload",
        "datatype": "FP64",
        "shape": [-1, -1],
    }
