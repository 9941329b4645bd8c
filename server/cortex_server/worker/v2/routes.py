"""The addresses of the protocol, at the root and below the endpoint."""

from collections.abc import Callable, Coroutine, Iterable
from importlib.metadata import version
from typing import Any

import orjson
from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse

from cortex_server.manifest import Manifest
from cortex_server.worker.answer import Answer
from cortex_server.worker.description import TENSORS, Ask, Constant
from cortex_server.worker.exchange import call_of, predict, response_of
from cortex_server.worker.problems import Problem
from cortex_server.worker.v2 import repository

ROOT = "/v2"
EXTENSIONS = ["binary_tensor_data"]

_PLATFORM = "cortex"
_MODEL = f"{ROOT}/models/<model:str>"
_VERSION = f"{_MODEL}/versions/<version:str>"
_FIRST_ERROR, _NOT_FOUND, _UNAVAILABLE = 400, 404, 503

Handler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]


class Routes:
    """Answers requests of the protocol for one API."""

    def __init__(self, manifest: Manifest, ask: Ask) -> None:
        self._name = manifest.name
        self._revision = manifest.revision
        self._tensors = Constant(ask, TENSORS)
        self._has_models = manifest.models is not None

    def add_to(self, app: Sanic[Any, Any], prefixes: Iterable[str]) -> None:
        """Answer below each prefix, except where predictions are sent to."""
        for prefix in prefixes:
            for path, (method, handler) in self._handlers().items():
                whole = f"{prefix}{path}"
                if whole.encode() not in app.ctx.paths:
                    app.add_route(handler, whole, methods=[method], name=whole)

    def _handlers(self) -> dict[str, tuple[str, Handler]]:
        handlers: dict[str, tuple[str, Handler]] = {
            ROOT: ("GET", self._server),
            f"{ROOT}/health/live": ("GET", self._live),
            f"{ROOT}/health/ready": ("GET", self._ready),
        }
        for path in (_MODEL, _VERSION):
            handlers[path] = ("GET", self._metadata)
            handlers[f"{path}/ready"] = ("GET", self._model_ready)
            handlers[f"{path}/infer"] = ("POST", self._infer)
        if self._has_models:
            for path, name in repository.PATHS.items():
                handlers[f"{ROOT}{path}"] = ("POST", getattr(repository, name))
        return handlers

    async def _server(self, request: Request) -> HTTPResponse:
        return _json(
            request,
            {
                "name": "cortex",
                "version": version("cortex-sdk"),
                "extensions": EXTENSIONS
                + (["model_repository"] if self._has_models else []),
            },
        )

    async def _live(self, request: Request) -> HTTPResponse:
        return _json(request, {"live": True})

    async def _ready(self, request: Request) -> HTTPResponse:
        return _readiness(request, {})

    async def _model_ready(
        self, request: Request, model: str, version: str = ""
    ) -> HTTPResponse:
        self._check(model, version)
        return _readiness(request, {"name": model})

    async def _metadata(
        self, request: Request, model: str, version: str = ""
    ) -> HTTPResponse:
        self._check(model, version)
        told = {
            "name": self._name,
            "versions": [self._revision],
            "platform": _PLATFORM,
            **await self._tensors.get(),
        }
        return _json(request, told)

    async def _infer(
        self, request: Request, model: str, version: str = ""
    ) -> HTTPResponse | None:
        self._check(model, version)
        call_of(request).model = (self._name, self._revision)
        return await predict(request, as_error)

    def _check(self, model: str, version: str) -> None:
        if model != self._name:
            detail = f"there is no model `{model}` here; this is `{self._name}`"
            raise Problem(_NOT_FOUND, detail)
        if version not in ("", self._revision):
            detail = (
                f"model `{model}` has no version `{version}` here;"
                f" its version is its revision, `{self._revision}`"
            )
            raise Problem(_NOT_FOUND, detail)


def is_of_protocol(request: Request) -> bool:
    """Whether a request, or a wrong one, was meant for the protocol."""
    prefixes: tuple[str, ...] = request.app.ctx.prefixes
    path = request.path
    roots = [f"{prefix}{ROOT}" for prefix in prefixes]
    return any(path == root or path.startswith(f"{root}/") for root in roots)


def as_error(answer: Answer) -> Answer:
    """An answer as it is, but errors in the form of the protocol."""
    if answer.status < _FIRST_ERROR:
        return answer
    text = answer.body.decode(errors="replace")
    if answer.content_type == Problem.CONTENT_TYPE:
        text = orjson.loads(answer.body)["detail"]
    body = orjson.dumps({"error": text})
    error = Answer(body, status=answer.status, fields=answer.fields)
    error.after = answer.after
    return error


def _readiness(request: Request, told: dict[str, object]) -> HTTPResponse:
    is_ready = request.app.ctx.service.is_ready
    status = 200 if is_ready else _UNAVAILABLE
    return _json(request, {**told, "ready": is_ready}, status)


def _json(request: Request, content: object, status: int = 200) -> HTTPResponse:
    return response_of(Answer(orjson.dumps(content), status=status), call_of(request))
