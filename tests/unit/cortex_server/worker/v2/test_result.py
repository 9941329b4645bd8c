import dataclasses
import types
from typing import Any

import numpy as np
import pydantic
import pytest

from cortex_server.worker.v2.port import Port
from cortex_server.worker.v2.result import named_values, output_of
from cortex_server.worker.v2.tensor import TensorError


@dataclasses.dataclass
class Record:
    a: int


class Model(pydantic.BaseModel):
    a: int


def described(value: Any, declared: Port | None = None) -> tuple[str, list[int], Any]:
    output = output_of(value, declared)
    return output.datatype, output.shape, output.json()


@pytest.mark.parametrize(
    ("value", "tensor"),
    [
        (True, ("BOOL", [1], [True])),
        (3, ("INT64", [1], [3])),
        ((1 << 64) - 1, ("UINT64", [1], [(1 << 64) - 1])),
        (0.5, ("FP64", [1], [0.5])),
        ("ü", ("BYTES", [1], ["ü"])),
        (b"x", ("BYTES", [1], ["x"])),
        ([1, 2.5], ("FP64", [2], [1.0, 2.5])),
        ([(1, 2), (3, 4)], ("INT64", [2, 2], [1, 2, 3, 4])),
        ([], ("FP64", [0], [])),
        ([[], []], ("FP64", [2, 0], [])),
        (np.float32(0.5), ("FP32", [1], [0.5])),
        (np.array([[1, 2]], dtype="int8"), ("INT8", [1, 2], [1, 2])),
        (np.array([True]), ("BOOL", [1], [True])),
        (np.array(["a", "b"]), ("BYTES", [2], ["a", "b"])),
        (np.array([b"a"], dtype=object), ("BYTES", [1], ["a"])),
        ([np.float32(1), np.float32(2)], ("FP32", [2], [1, 2])),
        ([np.zeros(2), np.ones(2)], ("FP64", [2, 2], [0, 0, 1, 1])),
    ],
)
def test_a_value_is_the_tensor_that_it_looks_like(value: Any, tensor: Any) -> None:
    assert described(value) == tensor


@pytest.mark.parametrize(
    ("declared", "value", "datatype"),
    [
        ("FP64", [1, 2], "FP64"),
        ("FP64", [], "FP64"),
        ("BYTES", [], "BYTES"),
        ("INT64", [0.5], "FP64"),
        ("FP64", np.zeros(1, dtype="float32"), "FP32"),
    ],
)
def test_a_declared_datatype_decides_where_python_does_not(
    declared: str, value: Any, datatype: str
) -> None:
    assert described(value, Port("x", declared, (-1,)))[0] == datatype


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "holds NoneType"),
        ([1, "a"], "holds int, str"),
        ([[1], [1, 2]], "nested in another way"),
        ([{}], "holds dict"),
        (1 << 64, "more than 64 bits"),
        (1j, "holds complex"),
        (np.array([1j]), "array of complex128"),
        (np.array(["2026-01-01"], dtype="datetime64[D]"), "datetime64"),
        ([np.zeros(1), np.zeros(2)], "no array"),
        (object(), "holds object"),
    ],
)
def test_a_value_that_is_no_tensor_says_what_it_is(value: Any, reason: str) -> None:
    with pytest.raises(TensorError, match=reason):
        output_of(value, None)


@pytest.mark.parametrize("order", ["<", ">"])
def test_binary_data_is_little_endian(order: str) -> None:
    array = np.array([[1, 2], [3, 4]], dtype=f"{order}i4").T

    assert output_of(array, None).binary() == np.array([1, 3, 2, 4], "<i4").tobytes()


def test_binary_text_has_its_length_in_front() -> None:
    assert output_of(["ü", b"\xff"], None).binary() == (b"\2\0\0\0\xc3\xbc\1\0\0\0\xff")


def test_bytes_that_are_no_text_have_no_json() -> None:
    with pytest.raises(TensorError, match="binary_data"):
        output_of(b"\xff", None).json()


def test_bf16_of_other_libraries_goes_out_as_it_is() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    output = output_of(np.array([1.5], dtype=ml_dtypes.bfloat16), None)

    assert (output.datatype, output.binary(), output.json()) == (
        "BF16",
        b"\xc0\x3f",
        [1.5],
    )


class _Frame:
    columns = ("a", 1)

    def __getitem__(self, name: object) -> Any:
        return types.SimpleNamespace(to_numpy=lambda: np.array([name == "a"]))

    def to_numpy(self) -> None:
        """Of all columns at once, which may be of several types."""


@pytest.mark.parametrize(
    ("result", "names"),
    [
        ({"a": 1, 2: 3}, ["a", "2"]),
        (Record(1), ["a"]),
        (Model(a=1), ["a"]),
        (_Frame(), ["a", "1"]),
        ([1], None),
        (1, None),
    ],
)
def test_results_with_names_are_several_tensors(result: Any, names: Any) -> None:
    values = named_values(result)

    assert (None if values is None else list(values)) == names
