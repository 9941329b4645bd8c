"""A predictor called with tensors: from an inference request to the response."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import orjson
from sanic.response import HTTPResponse

from cortex_server.interface import Interface
from cortex_server.worker.answer import Answer
from cortex_server.worker.call import Call
from cortex_server.worker.payloads import checker_for
from cortex_server.worker.problems import Problem
from cortex_server.worker.results import answer_of_response
from cortex_server.worker.v2.request import LENGTH_FIELD, InferRequest, request_of
from cortex_server.worker.v2.result import Output, named_values, output_of
from cortex_server.worker.v2.signature import Signature, UnmappableError, signature_of
from cortex_server.worker.v2.tensor import Tensor, TensorError

Json = dict[str, Any]

_BAD_REQUEST = 400
_INPUT, _OUTPUT = "payload", "response"
_INSTEAD = "predict with a POST to the address of the API"


class Tensors:
    """What the protocol can say of a predictor, and calls of it."""

    def __init__(self, interface: Interface) -> None:
        self._wants_payload = interface.predict.wants_payload
        self._hint = interface.predict.payload_type
        self._returns = interface.predict.returns

    @cached_property
    def inputs(self) -> Signature | str:
        """The tensors of the payload, or why there are none."""
        if not self._wants_payload:
            return Signature("named", ())
        return _signature(self._hint, _INPUT, "the payload")

    @cached_property
    def outputs(self) -> Signature | str:
        """The tensors of the result, or why there are none."""
        return _signature(self._returns, _OUTPUT, "the result")

    def metadata(self) -> Json:
        """Inputs and outputs as the metadata of a model has them."""
        told: Json = {}
        parameters: Json = {}
        for name, signature in (("inputs", self.inputs), ("outputs", self.outputs)):
            told[name] = []
            if isinstance(signature, str):
                parameters[name] = f"{signature}; {_INSTEAD}"
            elif signature.form == "open":
                parameters[name] = "any number, under any names"
            else:
                told[name] = [port.metadata() for port in signature.ports]
        return {**told, **({"parameters": parameters} if parameters else {})}

    def payload_of(self, call: Call) -> Any:  # noqa: ANN401  # of the user's type
        """The payload that the tensors of a request make.

        Raises:
            Problem: They make none.
        """
        inputs, outputs = _mapped(self.inputs), _mapped(self.outputs)
        request = call.asked = request_of(call)
        _check_outputs(request, outputs)
        value = _value(request.inputs, inputs)
        return self._check(value)

    def answer_of(self, result: Any, call: Call) -> Answer:  # noqa: ANN401  # the user's
        """The response that a result makes.

        Raises:
            Problem: It makes none, or not the outputs that were asked for.
        """
        if isinstance(result, HTTPResponse) and result.status >= _BAD_REQUEST:
            return answer_of_response(result)
        request: InferRequest = call.asked
        outputs = _outputs(result, _mapped(self.outputs), request)
        name, version = call.model or ("", "")
        head: Json = {
            "model_name": name,
            "model_version": version,
            "id": request.id or call.request_id,
        }
        return _written(head, outputs, request)

    @cached_property
    def _check(self) -> Callable[[Any], Any]:
        unchecked = (None, Any, str, bytes)
        if not self._wants_payload or any(self._hint is one for one in unchecked):
            return lambda value: value
        return checker_for(self._hint)


def _mapped(signature: Signature | str) -> Signature:
    if isinstance(signature, str):
        raise Problem(_BAD_REQUEST, f"{signature}; {_INSTEAD}")
    return signature


def _signature(hint: Any, name: str, what: str) -> Signature | str:  # noqa: ANN401  # a type hint
    try:
        return signature_of(hint, name, is_input=name == _INPUT)
    except UnmappableError as error:
        shown = getattr(hint, "__name__", None) or str(hint)
        return f"{what} of this API cannot be tensors: `{shown}` {error}"


def _value(tensors: list[Tensor], signature: Signature) -> Any:  # noqa: ANN401  # for the user's type
    if signature.form == "one":
        if len(tensors) != 1:
            detail = f"this model takes one input, got {len(tensors)}"
            raise Problem(_BAD_REQUEST, detail)
        return _read(tensors[0], signature)
    values = {tensor.name: _read(tensor, signature) for tensor in tensors}
    for port in signature.ports:
        if signature.form == "named" and port.is_required and port.name not in values:
            raise Problem(_BAD_REQUEST, f"input `{port.name}` is missing")
    return values


def _read(tensor: Tensor, signature: Signature) -> Any:  # noqa: ANN401  # for the user's type
    port = signature.port(tensor.name)
    if port is None:
        raise Problem(_BAD_REQUEST, _unknown("input", tensor.name, signature))
    try:
        return port.value_of(tensor)
    except TensorError as error:
        detail = f"input `{tensor.name}`: {error}"
        raise Problem(_BAD_REQUEST, detail) from None


def _check_outputs(request: InferRequest, signature: Signature) -> None:
    """What can be known to be missing before the predictor runs."""
    if signature.form == "one" and signature.ports[0].datatype is not None:
        _check_one(request)
    for name in request.outputs or ():
        if signature.port(name) is None:
            raise Problem(_BAD_REQUEST, _unknown("output", name, signature))


def _check_one(request: InferRequest) -> None:
    if request.outputs and len(request.outputs) > 1:
        detail = f"this model has one output, {len(request.outputs)} were asked for"
        raise Problem(_BAD_REQUEST, detail)


def _unknown(kind: str, name: str, signature: Signature) -> str:
    names = ", ".join(f"`{port.name}`" for port in signature.ports) or "none"
    return f"there is no {kind} `{name}` here; those of this model: {names}"


def _outputs(
    result: Any,  # noqa: ANN401  # the user's
    signature: Signature,
    request: InferRequest,
) -> dict[str, Output]:
    values = named_values(result)
    if values is None:
        _check_one(request)
        name = next(iter(request.outputs or {}), _OUTPUT)
        values = {name: result}
    for name in request.outputs or ():
        if name not in values:
            raise Problem(_BAD_REQUEST, f"`predict` returned no output `{name}`")
    return {
        name: _output(name, values[name], signature)
        for name in request.outputs or values
        if values[name] is not None
    }


def _output(name: str, value: Any, signature: Signature) -> Output:  # noqa: ANN401  # the user's
    try:
        return output_of(value, signature.port(name))
    except TensorError as error:
        detail = f"output `{name}` {error}; {_INSTEAD}"
        raise Problem(_BAD_REQUEST, detail) from None


def _written(head: Json, outputs: dict[str, Output], request: InferRequest) -> Answer:
    written, binary = [], []
    for name, output in outputs.items():
        told: Json = {"name": name, "datatype": output.datatype, "shape": output.shape}
        if request.is_binary(name):
            binary.append(output.binary())
            told["parameters"] = {"binary_data_size": len(binary[-1])}
        else:
            told["data"] = _elements(name, output)
        written.append(told)
    body = orjson.dumps({**head, "outputs": written})
    if not binary:
        return Answer(body)
    fields = {LENGTH_FIELD: str(len(body))}
    return Answer(b"".join([body, *binary]), "application/octet-stream", fields=fields)


def _elements(name: str, output: Output) -> list[Any]:
    try:
        return output.json()
    except TensorError as error:
        raise Problem(_BAD_REQUEST, f"output `{name}` {error}") from None
