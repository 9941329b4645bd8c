import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_server.worker.v2.tensor import Tensor, TensorError, flat

SHAPES = st.lists(st.integers(0, 3), max_size=4)


@given(SHAPES)
def test_flat_and_nested_data_are_the_same_tensor(shape: list[int]) -> None:
    array = np.arange(int(np.prod(shape))).reshape(shape)

    nested = array.tolist() if shape else [array.item()]
    for data in (array.ravel().tolist(), nested):
        tensor = Tensor("x", "INT64", shape, data)
        assert tensor.nested() == array.tolist()
        assert np.array_equal(tensor.array(), array)


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        ([1, 2, 3], [2]),
        ([[1, 2], [3]], [2, 2]),
        ([[1], [2, 3, 4]], [2, 2]),
        ([[1, 2], 3], [2, 2]),
        ([[1, 2]], [2, 1]),
        ([[1, 2]], [2]),
        ([[1]], []),
        ([], [1]),
    ],
)
def test_data_that_does_not_fill_the_shape_is_refused(
    data: list[Any], shape: list[int]
) -> None:
    with pytest.raises(TensorError):
        flat(data, shape)


@pytest.mark.parametrize("data", [bytes(15), bytes(12), b""])
def test_binary_data_that_does_not_fill_the_shape_is_refused(data: bytes) -> None:
    tensor = Tensor("x", "FP32", [2, 2], memoryview(data))

    for read in (tensor.array, tensor.nested):
        with pytest.raises(TensorError):
            read()


@pytest.mark.parametrize("shape", [[10**9, 0], [10**6, 10**6, 0]])
def test_empty_lists_without_end_are_refused(shape: list[int]) -> None:
    with pytest.raises(TensorError, match="too many empty lists"):
        Tensor("x", "FP32", shape, []).nested()


def test_an_array_of_binary_data_may_be_written_to() -> None:
    array = Tensor("x", "FP32", [1], memoryview(bytes(4))).array()

    array += 1
    assert array.tolist() == [1]


def test_bf16_becomes_float32() -> None:
    tensor = Tensor("x", "BF16", [1], memoryview(b"\xc0\x3f"))

    assert (tensor.array().dtype.name, tensor.array().tolist()) == ("float32", [1.5])
    assert tensor.nested() == [1.5]


def test_bytes_are_objects_of_an_array() -> None:
    tensor = Tensor("x", "BYTES", [2], memoryview(b"\1\0\0\0a\0\0\0\0"))

    assert tensor.array().tolist() == [b"a", b""]


def test_rows_are_as_long_as_the_last_dimension() -> None:
    values = list(itertools.chain(range(12)))

    assert Tensor("x", "INT64", [2, 2, 3], values).nested() == [
        [[0, 1, 2], [3, 4, 5]],
        [[6, 7, 8], [9, 10, 11]],
    ]
