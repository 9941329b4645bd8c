"""The addresses of the Open Inference Protocol, as OpenAPI describes them."""

from typing import Any

from cortex_server.worker.openapi.content import BYTES, JSON, SCHEMAS
from cortex_server.worker.v2.datatypes import BYTES as TEXTS
from cortex_server.worker.v2.datatypes import SIZES
from cortex_server.worker.v2.port import Port
from cortex_server.worker.v2.request import LENGTH_FIELD
from cortex_server.worker.v2.signature import Signature
from cortex_server.worker.v2.tensors import Tensors

Json = dict[str, Any]

REQUEST, RESPONSE = "cortex.InferRequest", "cortex.InferResponse"
METADATA, ERROR = "cortex.ModelMetadata", "cortex.ProtocolError"
_TAG = ["Open Inference Protocol V2"]
_ELEMENTS = {**dict.fromkeys(SIZES, 1), "BOOL": True, TEXTS: "text"}
_SIZE = 2


def paths_of_protocol(name: str, revision: str, tensors: Tensors) -> Json:
    """What each address below /v2 takes and answers."""
    model = f"/v2/models/{name}"
    version = f"{model}/versions/{revision}"
    paths = {
        "/v2": _get("server_metadata", "Name, version and extensions of the server"),
        "/v2/health/live": _get("server_live", "Whether the server lives"),
        "/v2/health/ready": _get("server_ready", "Whether the server is ready", "503"),
    }
    for at, ending in ((model, ""), (version, "_of_version")):
        metadata = _get(
            f"model_metadata{ending}", "Inputs and outputs", schema=METADATA
        )
        paths[at] = metadata
        ready = _get(f"model_ready{ending}", "Whether the model is ready", "503")
        paths[f"{at}/ready"] = ready
        paths[f"{at}/infer"] = {"post": _infer(f"infer{ending}", tensors)}
    return paths


def schemas_of_protocol() -> Json:
    """The parts that the paths refer to."""
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype"],
        "properties": {
            "name": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "datatype": {"enum": [*SIZES, TEXTS]},
            "parameters": {"type": ["object", "null"]},
            "data": {"type": "array", "items": {}},
        },
    }
    output = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "parameters": {"type": ["object", "null"]},
        },
    }
    return {
        REQUEST: _object(
            {
                "id": {"type": ["string", "null"]},
                "inputs": {"type": "array", "items": tensor},
                "outputs": {"type": ["array", "null"], "items": output},
                "parameters": {"type": ["object", "null"]},
            },
            ["inputs"],
        ),
        RESPONSE: _object(
            {
                "model_name": {"type": "string"},
                "model_version": {"type": "string"},
                "id": {"type": "string"},
                "outputs": {"type": "array", "items": tensor},
            },
            ["model_name", "model_version", "outputs"],
        ),
        METADATA: _object(
            {
                "name": {"type": "string"},
                "versions": {"type": "array", "items": {"type": "string"}},
                "platform": {"type": "string"},
                "inputs": {"type": "array", "items": {"type": "object"}},
                "outputs": {"type": "array", "items": {"type": "object"}},
            },
            ["name", "platform", "inputs", "outputs"],
        ),
        ERROR: _object({"error": {"type": "string"}}, ["error"]),
    }


def _object(properties: Json, required: list[str]) -> Json:
    return {"type": "object", "properties": properties, "required": required}


def _get(name: str, summary: str, *also: str, schema: str | None = None) -> Json:
    told = {"$ref": f"{SCHEMAS}{schema}"} if schema else {"type": "object"}
    answer = {"description": summary + ".", "content": {JSON: {"schema": told}}}
    statuses = dict.fromkeys(("200", *also), answer)
    return {
        "get": {**_operation(name, summary), "responses": {**statuses, **_errors()}}
    }


def _infer(name: str, tensors: Tensors) -> Json:
    takes: Json = {"schema": {"$ref": f"{SCHEMAS}{REQUEST}"}}
    example = _example(tensors.inputs)
    if example is not None:
        takes["example"] = {"inputs": example}
    gives = {"schema": {"$ref": f"{SCHEMAS}{RESPONSE}"}}
    length: Json = {
        "name": LENGTH_FIELD,
        "in": "header",
        "description": "Bytes of the JSON in front of binary tensors.",
        "schema": {"type": "integer", "minimum": 1},
    }
    answer = {
        "description": "The outputs.",
        "content": {JSON: gives, BYTES: {"schema": {}}},
    }
    return {
        **_operation(name, "Predict with tensors"),
        "parameters": [length],
        "requestBody": {"required": True, "content": {JSON: takes}},
        "responses": {"200": answer, **_errors()},
    }


def _operation(name: str, summary: str) -> Json:
    return {"operationId": name, "summary": summary, "tags": _TAG}


def _errors() -> Json:
    content = {JSON: {"schema": {"$ref": f"{SCHEMAS}{ERROR}"}}}
    return {"default": {"description": "What is wrong.", "content": content}}


def _example(signature: Signature | str) -> list[Json] | None:
    """The simplest tensors of the declared shapes; None where there are none."""
    if isinstance(signature, str) or signature.form == "open":
        return None
    return [_tensor(port) for port in signature.ports if port.is_required]


def _tensor(port: Port) -> Json:
    told = port.metadata()
    shape = [_SIZE if size < 0 else size for size in told["shape"]]
    number = 1
    for size in shape:
        number *= size
    element = _ELEMENTS[told["datatype"]]
    return {
        "name": port.name,
        "shape": shape,
        "datatype": told["datatype"],
        "data": [element] * number,
    }
