import dataclasses
import typing
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pydantic
import pytest
import typing_extensions
from pydantic import TypeAdapter, ValidationError

from cortex_server.worker.checkable import checkable


def read(hint: Any, body: str) -> Any:
    return TypeAdapter(checkable(hint)).validate_json(body)


class Typed(typing.TypedDict):
    image: np.ndarray
    threshold: typing.NotRequired[float]


class Extended(typing_extensions.TypedDict, total=False):
    image: npt.NDArray[np.float32]


@dataclasses.dataclass
class Record:
    image: np.ndarray
    weights: list[npt.NDArray[np.float64]]
    threshold: float = 0.5


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)

    image: np.ndarray
    threshold: float = pydantic.Field(default=0.5, gt=0)


@pytest.mark.parametrize(
    "hint", [int, list[int], dict[str, int | None], Annotated[int, "x"], Any, None]
)
def test_leaves_types_without_arrays_as_they_are(hint: Any) -> None:
    assert checkable(hint) is hint or checkable(hint) == hint


@pytest.mark.parametrize(
    ("hint", "body", "dtype"),
    [
        (np.ndarray, "[[1, 2], [3, 4]]", "int64"),
        (np.ndarray, "[1.5]", "float64"),
        (np.ndarray, '["a"]', "str32"),
        (npt.NDArray[np.float32], "[[1, 2]]", "float32"),
        (npt.NDArray[np.floating[Any]], "[1.0]", "float64"),
    ],
)
def test_a_list_becomes_an_array(hint: Any, body: str, dtype: str) -> None:
    array = read(hint, body)

    assert array.dtype.name == dtype
    assert array.flags.writeable


@pytest.mark.parametrize(
    ("hint", "body"),
    [
        (np.ndarray, "[[1], [1, 2]]"),
        (np.ndarray, "1"),
        (np.ndarray, '{"a": 1}'),
        (np.ndarray, '[{"a": 1}]'),
        (np.ndarray, "[null]"),
        (npt.NDArray[np.float32], '["a"]'),
        (npt.NDArray[np.uint8], "[300]"),
    ],
)
def test_what_is_no_array_is_refused(hint: Any, body: str) -> None:
    with pytest.raises(ValidationError):
        read(hint, body)


def test_an_array_passes_as_it_is_when_its_type_fits() -> None:
    array = np.zeros(3, dtype="float32")
    check = TypeAdapter(checkable(np.ndarray)).validate_python

    assert check(array) is array


def test_an_array_is_cast_only_where_its_kind_allows_it() -> None:
    check = TypeAdapter(checkable(npt.NDArray[np.float32])).validate_python

    assert check(np.zeros(3)).dtype.name == "float32"
    with pytest.raises(ValidationError, match="an array of float32 is wanted"):
        check(np.zeros(3, dtype=complex))


@pytest.mark.parametrize("hint", [Typed, Extended])
def test_arrays_are_fields_of_typed_dicts(hint: Any) -> None:
    payload = read(hint, '{"image": [[1, 2]]}')

    assert payload["image"].shape == (1, 2)


def test_a_typed_dict_still_says_what_is_required() -> None:
    with pytest.raises(ValidationError, match="image"):
        read(Typed, '{"threshold": 1}')
    assert read(Extended, "{}") == {}


def test_arrays_are_fields_of_dataclasses() -> None:
    record = read(Record, '{"image": [[1, 2]], "weights": [[1], [2, 3]]}')

    assert isinstance(record, Record)
    assert [w.shape for w in record.weights] == [(1,), (2,)]
    assert record.threshold == 0.5


def test_arrays_are_fields_of_models() -> None:
    model = read(Model, '{"image": [[1, 2]]}')

    assert isinstance(model, Model)
    assert model.image.shape == (1, 2)
    assert model.threshold == 0.5
    with pytest.raises(ValidationError, match="greater than 0"):
        read(Model, '{"image": [1], "threshold": 0}')


def test_arrays_are_parts_of_generic_types() -> None:
    many = read(dict[str, np.ndarray | None], '{"a": [1], "b": null}')

    assert many["a"].shape == (1,)
    assert many["b"] is None


def test_a_type_that_holds_itself_is_no_trap() -> None:
    class Tree(pydantic.BaseModel):
        leaves: list["Tree"] = []

    assert read(Tree, '{"leaves": [{}]}').leaves[0].leaves == []


@pytest.mark.skipif(
    typing.TypedDict is typing_extensions.TypedDict, reason="of Python 3.11 only"
)
def test_typed_dicts_of_the_standard_library_can_be_checked() -> None:
    class Plain(typing.TypedDict):
        a: int

    assert read(Plain, '{"a": "1"}') == {"a": 1}
