"""The OpenAPI document of one API."""

from functools import cached_property
from typing import Any

from cortex_server.interface import Interface, Method
from cortex_server.manifest import Manifest
from cortex_server.worker.openapi.content import (
    JSON,
    SCHEMAS,
    Hint,
    request_content,
    response_content,
)
from cortex_server.worker.openapi.protocol import paths_of_protocol, schemas_of_protocol
from cortex_server.worker.v2.tensors import Tensors

Json = dict[str, Any]

PROBLEM = "cortex.Problem"
_PROBLEM_TYPE = "application/problem+json"
_ID: Json = {
    "description": "The id of the request, in every line of the log.",
    "schema": {"type": "string"},
}
_RETRY: Json = {
    "description": "Seconds after which to try again.",
    "schema": {"type": "integer"},
}
_REFUSALS = {
    "400": "The body cannot be read; `detail` says where.",
    "413": "The body is too large.",
    "415": "The content type is none that this API takes.",
    "422": "The payload does not have the declared type; `errors` names each part.",
}
_FAILURES = {
    "500": "The predictor failed; the log has its traceback.",
    "503": "The replica has as many requests in flight as it takes.",
    "504": "The prediction took longer than the time limit.",
}
_KEYS: list[Json] = [{"bearer": []}, {"key": []}]
_PROBLEM: Json = {
    "type": "object",
    "description": "What went wrong, as RFC 9457 has it.",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong and what to do."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


class Document:
    """What one API takes and answers; made when it is asked for the first time."""

    def __init__(
        self, manifest: Manifest, interface: Interface, *, needs_key: bool
    ) -> None:
        self._manifest = manifest
        self._interface = interface
        self._needs_key = needs_key

    def at(self, prefix: str) -> Json:
        """The document for clients that reach the API below a prefix."""
        return {**self._whole, "servers": [{"url": prefix or "/"}]}

    @cached_property
    def _whole(self) -> Json:
        method = self._interface.predict
        name, revision = self._manifest.name, self._manifest.revision
        tensors = Tensors(self._interface)
        return {
            "openapi": "3.1.0",
            "info": {
                "title": name,
                "version": revision,
                **({"description": method.doc} if method.doc else {}),
            },
            "servers": [],
            "paths": {
                "/": {"post": self._predict(method), "get": _summary()},
                **paths_of_protocol(name, revision, tensors),
            },
            "components": {"schemas": self._schemas(), **self._security()},
            **({"security": _KEYS} if self._needs_key else {}),
        }

    @cached_property
    def _hints(self) -> tuple[Hint, Hint]:
        """Payload and result; where a model has two schemas, so are their names."""
        method = self._interface.predict
        takes = Hint(method.payload_type, is_input=True)
        gives = Hint(method.returns, is_input=False)
        both = takes.definitions.keys() & gives.definitions.keys()
        if any(takes.definitions[name] != gives.definitions[name] for name in both):
            gives = Hint(method.returns, is_input=False, ending=".Output")
        return takes, gives

    def _schemas(self) -> Json:
        takes, gives = self._hints
        ours = {PROBLEM: _PROBLEM, **schemas_of_protocol()}
        return {**takes.definitions, **gives.definitions, **ours}

    def _security(self) -> Json:
        """The two headers that may carry a key, where one is needed."""
        if not self._needs_key:
            return {}
        bearer = {"type": "http", "scheme": "bearer"}
        key = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
        return {"securitySchemes": {"bearer": bearer, "key": key}}

    def _predict(self, method: Method) -> Json:
        takes, gives = self._hints
        body = {"content": request_content(takes), "required": True}
        success = {
            "description": "The answer of the predictor.",
            "headers": {"x-request-id": _ID},
            "content": response_content(gives),
        }
        return {
            "operationId": "predict",
            "summary": "Predict",
            "parameters": _parameters(method),
            **({"requestBody": body} if method.wants_payload else {}),
            "responses": {"200": success, **_problems(method)},
        }


def _parameters(method: Method) -> list[Json]:
    given: Json = {
        "name": "x-request-id",
        "in": "header",
        "description": "An id of your own for this request: up to 200 visible"
        " characters of ASCII; with any other, the request gets a new one.",
        "schema": {"type": "string"},
    }
    anything = {"type": "object", "additionalProperties": {"type": "string"}}
    query = {
        "name": "query_params",
        "in": "query",
        "description": "Whatever the predictor looks for in `query_params`.",
        "style": "form",
        "explode": True,
        "schema": anything,
    }
    return [given, query] if "query_params" in method.arguments else [given]


def _problems(method: Method) -> Json:
    told = {**_REFUSALS, **_FAILURES} if method.wants_payload else _FAILURES
    found = {status: _problem(text) for status, text in told.items()}
    found["503"]["headers"] = {"retry-after": _RETRY}
    return {
        **found,
        "default": _problem("Another error, such as one of the predictor."),
    }


def _problem(description: str) -> Json:
    content = {_PROBLEM_TYPE: {"schema": {"$ref": f"{SCHEMAS}{PROBLEM}"}}}
    return {"description": description, "content": content}


def _summary() -> Json:
    content = {JSON: {"schema": {"type": "object"}}}
    return {
        "operationId": "summary",
        "summary": "What is served here",
        "responses": {"200": {"description": "Name and revision.", "content": content}},
    }
