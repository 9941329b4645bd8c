"""An inference request: JSON, and behind it the data of binary tensors."""

from typing import Annotated, Any

import msgspec
from msgspec import Struct

from cortex_server.worker.call import Call
from cortex_server.worker.problems import Problem
from cortex_server.worker.v2.datatypes import Datatype
from cortex_server.worker.v2.tensor import Tensor

LENGTH_FIELD = "Inference-Header-Content-Length"
"""Header of a message that ends in binary data: how long the JSON before it is."""

_BAD_REQUEST = 400
_MOST_DIMENSIONS = 32
_LENGTH_NAME = LENGTH_FIELD.lower().encode()


_Size = Annotated[int, msgspec.Meta(ge=0)]
_Shape = Annotated[list[_Size], msgspec.Meta(max_length=_MOST_DIMENSIONS)]


class _InputParameters(Struct, frozen=True):
    binary_data_size: _Size | None = None
    shared_memory_region: Any = None


class _OutputParameters(Struct, frozen=True):
    binary_data: bool | None = None
    classification: Any = None
    shared_memory_region: Any = None


class _RequestParameters(Struct, frozen=True):
    binary_data_output: bool = False


class _Input(Struct):
    name: str
    shape: _Shape
    datatype: Datatype
    parameters: _InputParameters | None = None
    data: list[Any] | None = None


class _Output(Struct):
    name: str
    parameters: _OutputParameters | None = None


class _Body(Struct):
    inputs: list[_Input]
    id: str | None = None
    parameters: _RequestParameters | None = None
    outputs: list[_Output] | None = None


_BODY = msgspec.json.Decoder(_Body)


class InferRequest:
    """What a client asks for: tensors in, and which tensors out in which form."""

    def __init__(self, body: _Body, binary: memoryview) -> None:
        self.id = body.id or ""
        self.inputs = _tensors(body.inputs, binary)
        self.binary_by_default = (
            body.parameters is not None and body.parameters.binary_data_output
        )
        self.outputs = _wanted(body.outputs) if body.outputs else None
        """Names of the wanted outputs, each with whether its data shall be binary;
        None where all are wanted."""

    def is_binary(self, output: str) -> bool:
        """Whether the data of an output shall be binary."""
        wanted = (self.outputs or {}).get(output)
        return self.binary_by_default if wanted is None else wanted


def _wanted(outputs: list[_Output]) -> dict[str, bool | None]:
    return {
        one.name: one.parameters.binary_data if one.parameters else None
        for one in outputs
    }


def request_of(call: Call) -> InferRequest:
    """Read and check a request.

    Raises:
        Problem: It is not one of the protocol, or asks for what is not supported.
    """
    length = _json_length(call)
    whole = memoryview(call.body)
    try:
        body = _BODY.decode(whole[:length])
    except msgspec.ValidationError as error:
        raise Problem(_BAD_REQUEST, f"no inference request: {error}") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        detail = f"the body is not valid JSON: {error}"
        raise Problem(_BAD_REQUEST, detail) from None
    _check_extensions(body)
    return InferRequest(body, whole[length:])


def _json_length(call: Call) -> int:
    text, size = call.field(_LENGTH_NAME), len(call.body)
    if not text:
        return size
    if not text.isdigit() or not 0 < int(text[:20]) <= size:
        detail = (
            f"{LENGTH_FIELD} must be the length of the JSON at the start of the body,"
            f" 1 to {size}, got {text.decode('latin-1')}"
        )
        raise Problem(_BAD_REQUEST, detail)
    return int(text)


def _check_extensions(body: _Body) -> None:
    parts = [*body.inputs, *(body.outputs or ())]
    for part in parts:
        for name in ("shared_memory_region", "classification"):
            if getattr(part.parameters, name, None) is not None:
                detail = f"`{part.name}` asks for {name}, which is not supported here"
                raise Problem(_BAD_REQUEST, detail)


def _tensors(inputs: list[_Input], binary: memoryview) -> list[Tensor]:
    found, at = [], 0
    for one in inputs:
        size = one.parameters.binary_data_size if one.parameters else None
        if (size is None) is (one.data is None):
            needed = "needs either `data` or `binary_data_size`"
            detail = f"input `{one.name}` {needed}"
            raise Problem(_BAD_REQUEST, detail)
        data = binary[at : at + (size or 0)] if one.data is None else one.data
        at += size or 0
        found.append(Tensor(one.name, one.datatype, one.shape, data))
    if at != len(binary):
        detail = (
            f"{len(binary)} bytes follow the JSON, but the inputs have"
            f" {at} bytes of binary data in all"
        )
        raise Problem(_BAD_REQUEST, detail)
    names = [one.name for one in inputs]
    if len(set(names)) < len(names):
        raise Problem(_BAD_REQUEST, "two inputs have the same name")
    return found
