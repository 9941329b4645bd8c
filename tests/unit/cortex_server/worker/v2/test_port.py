from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cortex_server.worker.v2.port import Port
from cortex_server.worker.v2.signature import signature_of
from cortex_server.worker.v2.tensor import Tensor, TensorError


def port(hint: Any) -> Port:
    return signature_of(hint, "x", is_input=True).ports[0]


def value(hint: Any, datatype: str, shape: list[int], data: Any) -> Any:
    return port(hint).value_of(Tensor("x", datatype, shape, data))


@pytest.mark.parametrize(
    ("hint", "datatype", "shape", "data", "wanted"),
    [
        (float, "FP32", [1], [2], 2.0),
        (float, "INT8", [], [2], 2),
        (str, "BYTES", [1], ["ü"], "ü"),
        (str, "BYTES", [1], memoryview(b"\2\0\0\0\xc3\xbc"), "ü"),
        (bytes, "BYTES", [1], memoryview(b"\1\0\0\0\xff"), b"\xff"),
        (list[str], "BYTES", [1], memoryview(b"\1\0\0\0a"), ["a"]),
        (list[float], "FP64", [2], [1, 2], [1.0, 2.0]),
        (tuple[float], "FP64", [1], [1], [1.0]),
        (list[list[int]], "INT8", [2, 1], [1, 2], [[1], [2]]),
        (None, "FP64", [1, 1], [1], [[1.0]]),
        (None, "FP64", [1], [1], [1.0]),
        (None, "FP64", [], [1], 1.0),
        (None, "BYTES", [1], memoryview(b"\1\0\0\0a"), ["a"]),
    ],
)
def test_a_tensor_becomes_what_the_type_takes(
    hint: Any, datatype: str, shape: list[int], data: Any, wanted: Any
) -> None:
    assert value(hint, datatype, shape, data) == wanted


def test_a_tensor_becomes_an_array_of_its_own_datatype() -> None:
    array = value(np.ndarray, "FP16", [1, 2], [1, 2])

    assert (array.dtype.name, array.tolist()) == ("float16", [[1, 2]])


@pytest.mark.parametrize(
    ("hint", "datatype", "shape", "data", "reason"),
    [
        (float, "BYTES", [1], ["a"], "datatype BYTES, but FP64 is declared"),
        (int, "FP32", [1], [1], "datatype FP32, but INT64 is declared"),
        (float, "FP64", [2], [1, 2], r"shape \[2\], but \[1\] is declared"),
        (list[float], "FP64", [1, 2], [1, 2], r"shape \[1, 2\], but \[-1\]"),
        (tuple[float, float], "FP64", [3], [1, 2, 3], r"shape \[3\], but \[2\]"),
        (npt.NDArray[np.float32], "BYTES", [1], ["a"], "but FP32 is declared"),
        (str, "BYTES", [1], memoryview(b"\1\0\0\0\xff"), "not UTF-8"),
    ],
)
def test_a_tensor_that_is_not_as_declared_says_what_is(
    hint: Any, datatype: str, shape: list[int], data: Any, reason: str
) -> None:
    with pytest.raises(TensorError, match=reason):
        value(hint, datatype, shape, data)
