from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pydantic
import pytest
from sanic.response import json

from cortex_server.interface import interface_of
from cortex_server.worker.answer import Answer
from cortex_server.worker.call import Call
from cortex_server.worker.problems import Problem
from cortex_server.worker.v2.tensors import Tensors


class House(pydantic.BaseModel):
    area: float = pydantic.Field(gt=0)
    rooms: int = 1


class Price(pydantic.BaseModel):
    price: float
    currency: str = "EUR"


class Prices:
    def predict(self, payload: House) -> Price:
        return Price(price=payload.area * payload.rooms)


class Double:
    def predict(self, payload: np.ndarray) -> np.ndarray:
        return 2 * payload


class Untyped:
    def predict(self, payload):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201  # that is the case
        return payload


class Nothing:
    def predict(self) -> int:
        return 7


class Records:
    def predict(self, payload: list[House]) -> int:
        return len(payload)


class Streams:
    def predict(self, payload: str) -> Iterator[str]:
        yield payload


class Open:
    def predict(self, payload: dict[str, float]) -> dict[str, float]:
        return payload


def tensor(name: str, value: float) -> dict[str, Any]:
    return {"name": name, "datatype": "FP64", "shape": [1], "data": [value]}


def infer(cls: type, body: dict[str, Any], result: Any = ...) -> Answer:
    tensors = Tensors(interface_of(cls))
    call = Call(orjson.dumps(body), b"", [], ("m", "1"))
    payload = tensors.payload_of(call)
    if result is ...:
        wants = interface_of(cls).predict.wants_payload
        result = cls().predict(payload) if wants else cls().predict()
    return tensors.answer_of(result, call)


def outputs(answer: Answer) -> dict[str, Any]:
    return {
        one["name"]: (one["datatype"], one["shape"], one["data"])
        for one in orjson.loads(answer.body)["outputs"]
    }


def refused(cls: type, body: dict[str, Any], result: Any = ...) -> Problem:
    with pytest.raises(Problem) as caught:
        infer(cls, body, result)
    return caught.value


def test_fields_are_inputs_and_outputs() -> None:
    answer = infer(Prices, {"id": "7", "inputs": [tensor("area", 3)]})

    assert outputs(answer) == {
        "price": ("FP64", [1], [3.0]),
        "currency": ("BYTES", [1], ["EUR"]),
    }
    head = orjson.loads(answer.body)
    assert (head["model_name"], head["model_version"], head["id"]) == ("m", "1", "7")


def test_a_bare_array_is_one_input_and_one_output_of_any_name() -> None:
    body = {"inputs": [tensor("input-0", 3)]}

    assert outputs(infer(Double, body)) == {"response": ("FP64", [1], [6.0])}
    body["outputs"] = [{"name": "output-0"}]
    assert list(outputs(infer(Double, body))) == ["output-0"]


def test_no_hint_takes_lists() -> None:
    assert outputs(infer(Untyped, {"inputs": [tensor("x", 3)]})) == {
        "response": ("FP64", [1], [3.0])
    }


def test_no_payload_is_no_input() -> None:
    assert outputs(infer(Nothing, {"inputs": []})) == {"response": ("INT64", [1], [7])}
    assert Tensors(interface_of(Nothing)).metadata()["inputs"] == []
    assert "no input `x`" in refused(Nothing, {"inputs": [tensor("x", 1)]}).detail


def test_a_dict_takes_any_names() -> None:
    body = {"inputs": [tensor("a", 1), tensor("b", 2)], "outputs": [{"name": "b"}]}

    assert outputs(infer(Open, body)) == {"b": ("FP64", [1], [2.0])}
    metadata = Tensors(interface_of(Open)).metadata()
    assert metadata["inputs"] == []
    assert metadata["parameters"]["inputs"] == "any number, under any names"


def test_a_value_that_its_type_forbids_names_the_field() -> None:
    problem = refused(Prices, {"inputs": [tensor("area", -1)]})

    assert (problem.status, "#/area" in problem.detail) == (422, True)


@pytest.mark.parametrize(
    ("cls", "body", "named"),
    [
        (Prices, {"inputs": []}, "input `area` is missing"),
        (Prices, {"inputs": [tensor("size", 1)]}, "`area`, `rooms`"),
        (
            Prices,
            {"inputs": [tensor("area", 1)], "outputs": [{"name": "cost"}]},
            "no output `cost`",
        ),
        (Double, {"inputs": []}, "one input, got 0"),
        (
            Double,
            {
                "inputs": [tensor("x", 1)],
                "outputs": [{"name": "a"}, {"name": "b"}],
            },
            "one output, 2 were asked for",
        ),
        (
            Open,
            {"inputs": [tensor("x", 1)], "outputs": [{"name": "y"}]},
            "returned no output `y`",
        ),
    ],
)
def test_what_a_model_does_not_have_is_named(
    cls: type, body: dict[str, Any], named: str
) -> None:
    problem = refused(cls, body)

    assert (problem.status, named in problem.detail) == (400, True), problem.detail


@pytest.mark.parametrize(
    ("cls", "part", "why"),
    [
        (Records, "inputs", "the payload of this API cannot be tensors"),
        (Streams, "outputs", "the result of this API cannot be tensors"),
    ],
)
def test_an_api_that_is_no_tensors_says_so_in_metadata_and_answers(
    cls: type, part: str, why: str
) -> None:
    metadata = Tensors(interface_of(cls)).metadata()

    assert metadata[part] == []
    assert why in metadata["parameters"][part]
    problem = refused(cls, {"inputs": []})
    assert (problem.status, why in problem.detail) == (400, True)


@pytest.mark.parametrize(
    "result", [{"a": {}}, [[1], [1, 2]], object(), (n for n in [1])]
)
def test_a_result_that_is_no_tensor_is_told(result: Any) -> None:
    problem = refused(Untyped, {"inputs": [tensor("x", 1)]}, result)

    assert problem.status == 400
    assert "predict with a POST" in problem.detail


def test_binary_outputs_lie_behind_the_json_in_order() -> None:
    body = {
        "inputs": [tensor("x", 1)],
        "outputs": [
            {"name": "b", "parameters": {"binary_data": True}},
            {"name": "a"},
            {"name": "c", "parameters": {"binary_data": True}},
        ],
    }

    answer = infer(Untyped, body, {"a": [1], "b": np.float32([1]), "c": "x"})

    length = int(answer.fields["Inference-Header-Content-Length"])
    told = orjson.loads(answer.body[:length])["outputs"]
    sizes = [one.get("parameters", {}).get("binary_data_size") for one in told]
    assert [one["name"] for one in told] == ["b", "a", "c"]
    assert sizes == [4, None, 5]
    assert answer.body[length:] == b"\0\0\x80\x3f" + b"\1\0\0\0x"
    assert answer.content_type == "application/octet-stream"


def test_an_error_that_the_predictor_answers_stays_one() -> None:
    answer = infer(Untyped, {"inputs": [tensor("x", 1)]}, json("busy", status=429))

    assert answer.status == 429
