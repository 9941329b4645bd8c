from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_server.worker.call import Call
from cortex_server.worker.problems import Problem
from cortex_server.worker.v2.request import InferRequest, request_of

INPUT = {"name": "x", "shape": [2], "datatype": "FP32"}
PLAIN = {**INPUT, "data": [1, 2]}
BINARY = {**INPUT, "parameters": {"binary_data_size": 8}}


def read(body: Any, binary: bytes = b"", length: str | None = None) -> InferRequest:
    text = body if isinstance(body, bytes) else orjson.dumps(body)
    told = str(len(text)) if length is None else length
    fields = [(b"inference-header-content-length", told.encode("latin-1"))]
    return request_of(Call(text + binary, b"", fields if told else []))


def test_without_the_header_all_is_json() -> None:
    request = read({"id": "7", "inputs": [PLAIN]}, length="")

    assert request.id == "7"
    assert request.inputs[0].nested() == [1.0, 2.0]
    assert request.outputs is None


def test_what_is_null_is_as_if_it_were_not_there() -> None:
    nothing = {"id": None, "parameters": None, "outputs": None}

    request = read({"inputs": [{**PLAIN, "parameters": None}], **nothing})

    assert (request.id, request.outputs) == ("", None)


def test_binary_data_lies_behind_the_json_in_order_of_the_inputs() -> None:
    second = {**BINARY, "name": "y"}
    plain = {**PLAIN, "name": "z"}

    request = read(
        {"inputs": [BINARY, plain, second]},
        b"\0\0\x80\x3f\0\0\0\x40" + b"\0\0\x40\x40\0\0\x80\x40",
    )

    assert [one.nested() for one in request.inputs] == [[1, 2], [1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("default", "own", "is_binary"),
    [
        (None, None, False),
        (True, None, True),
        (True, False, False),
        (False, True, True),
    ],
)
def test_an_output_is_binary_as_it_says_or_else_as_the_request_says(
    *, default: bool | None, own: bool | None, is_binary: bool
) -> None:
    parameters = {} if default is None else {"binary_data_output": default}
    output = {"name": "y", "parameters": {} if own is None else {"binary_data": own}}

    request = read({"inputs": [], "outputs": [output], "parameters": parameters})

    assert request.is_binary("y") is is_binary


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b'{"inputs": ' + b"[" * 100_000, "object"),
        (b'{"inputs": [{"data": ' + b"[" * 100_000, "not valid JSON"),
        (b"[]", "object"),
        ({}, "inputs"),
        ({"inputs": {}}, "inputs"),
        ({"inputs": [{**PLAIN, "shape": [-1]}]}, "shape"),
        ({"inputs": [{**PLAIN, "shape": [1] * 33}]}, "shape"),
        ({"inputs": [{**PLAIN, "shape": ["2"]}]}, "shape"),
        ({"inputs": [{**PLAIN, "datatype": "FLOAT"}]}, "FLOAT"),
        ({"inputs": [{**PLAIN, "name": 1}]}, "name"),
        ({"inputs": [INPUT]}, "`x` needs either"),
        ({"inputs": [{**PLAIN, **BINARY}]}, "`x` needs either"),
        ({"inputs": [PLAIN, PLAIN]}, "same name"),
        ({"inputs": [BINARY]}, "8 bytes of binary data"),
        ({"inputs": [], "outputs": [{}]}, "name"),
        ({"inputs": [], "id": 1}, "id"),
        (
            {"inputs": [{**INPUT, "parameters": {"shared_memory_region": "r"}}]},
            "shared_memory_region, which is not supported",
        ),
        (
            {
                "inputs": [],
                "outputs": [{"name": "y", "parameters": {"classification": 3}}],
            },
            "classification, which is not supported",
        ),
    ],
)
def test_what_is_wrong_with_a_request_is_named(body: Any, named: str) -> None:
    with pytest.raises(Problem) as caught:
        read(body)

    assert caught.value.status == 400
    assert named in caught.value.detail


@pytest.mark.parametrize("length", ["-1", "0", "1e1", "999", "9" * 5000, "\xb2"])
def test_a_wrong_length_of_the_json_is_named(length: str) -> None:
    with pytest.raises(Problem, match="Inference-Header-Content-Length"):
        read({"inputs": []}, length=length)


def test_bytes_that_no_input_claims_are_refused() -> None:
    with pytest.raises(Problem, match="9 bytes follow"):
        read({"inputs": [BINARY]}, bytes(9))


@given(st.binary(max_size=200))
def test_no_body_does_harm(body: bytes) -> None:
    with pytest.raises(Problem):
        read(body, length="")
