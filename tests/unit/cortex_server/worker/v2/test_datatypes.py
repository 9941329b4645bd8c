from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_server.worker.v2 import datatypes
from cortex_server.worker.v2.datatypes import SIZES, accepts, checked, packed, unpacked

NUMPY = sorted(set(SIZES) - {"BF16"})
EDGES = {
    "BOOL": [True, False],
    "UINT64": [0, (1 << 64) - 1],
    "INT64": [-(1 << 63), (1 << 63) - 1],
    "INT8": [-128, 127],
    "FP16": [0.5, -65504.0],
    "FP32": [0.5, 1.0000001192092896],
    "FP64": [0.1, 1e300],
}


@pytest.mark.parametrize("datatype", NUMPY)
def test_binary_data_is_what_numpy_writes(datatype: str) -> None:
    values = EDGES.get(datatype, [0, 100])
    dtype = np.dtype(datatypes.numpy_name(datatype)).newbyteorder("<")

    assert packed(datatype, values) == np.array(values, dtype=dtype).tobytes()
    assert unpacked(datatype, memoryview(packed(datatype, values))) == values


@pytest.mark.parametrize("datatype", NUMPY)
def test_each_datatype_is_found_by_its_name_in_numpy(datatype: str) -> None:
    name = datatypes.numpy_name(datatype)

    assert name is not None
    assert datatypes.datatype_of(name) == datatype
    assert np.dtype(name).itemsize == SIZES[datatype]


def test_bf16_is_read_as_the_float_that_it_begins() -> None:
    data = np.array([1.5, -2.0, 3.0e38], dtype="<f4").view("<u2")[1::2].tobytes()

    assert unpacked("BF16", memoryview(data)) == [1.5, -2.0, pytest.approx(3e38, 0.01)]


@given(st.lists(st.binary()))
def test_bytes_come_back_as_they_went(values: list[bytes]) -> None:
    assert unpacked("BYTES", memoryview(packed("BYTES", values))) == values


@given(st.binary(max_size=40))
def test_no_binary_data_does_harm(data: bytes) -> None:
    for datatype in (*SIZES, "BYTES"):
        try:
            unpacked(datatype, memoryview(data))
        except ValueError as error:
            assert "bytes" in str(error) or "BYTES" in str(error)  # noqa: PT017  # any may fail


@pytest.mark.parametrize(
    ("datatype", "data"),
    [
        ("FP32", b"\0\0\0"),
        ("BYTES", b"\1\0\0"),
        ("BYTES", b"\2\0\0\0x"),
        ("BYTES", b"\xff\xff\xff\xffx"),
    ],
)
def test_data_that_ends_inside_an_element_is_refused(
    datatype: str, data: bytes
) -> None:
    with pytest.raises(ValueError, match=r"bytes|BYTES"):
        unpacked(datatype, memoryview(data))


@pytest.mark.parametrize(
    ("datatype", "values"),
    [
        ("INT8", [128]),
        ("UINT8", [-1]),
        ("INT64", [1 << 63]),
        ("UINT64", [1 << 64]),
        ("INT32", [1.5]),
        ("INT32", [True]),
        ("INT32", ["1"]),
        ("FP32", ["1"]),
        ("FP64", [None]),
        ("FP64", [[1.0]]),
        ("BOOL", [1]),
        ("BYTES", [1]),
    ],
)
def test_json_of_another_datatype_is_refused(datatype: str, values: list[Any]) -> None:
    with pytest.raises(ValueError, match=f"not {datatype}"):
        checked(datatype, values)


@pytest.mark.parametrize("datatype", NUMPY)
def test_json_of_the_datatype_is_taken(datatype: str) -> None:
    values = EDGES.get(datatype, [0, 100])

    assert checked(datatype, values) == values


@pytest.mark.parametrize(
    ("wanted", "given", "does"),
    [
        ("FP64", "FP32", True),
        ("FP64", "UINT8", True),
        ("INT64", "INT8", True),
        ("INT64", "FP32", False),
        ("FP64", "BOOL", False),
        ("BOOL", "UINT8", False),
        ("BYTES", "FP32", False),
        ("FP64", "BYTES", False),
    ],
)
def test_a_declared_datatype_takes_what_fits_in_its_family(
    wanted: str, given: str, *, does: bool
) -> None:
    assert accepts(wanted, given) is does
