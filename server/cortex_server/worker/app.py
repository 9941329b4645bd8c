"""The public address: routes, and every error in one shape."""

import logging
import re
from asyncio import CancelledError
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import structlog
from sanic import Sanic
from sanic.config import Config
from sanic.exceptions import (
    BadURL,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    SanicException,
)
from sanic.request import Request
from sanic.response import HTTPResponse, json

from cortex_server.interface import Interface
from cortex_server.manifest import Manifest
from cortex_server.worker.problems import Problem
from cortex_server.worker.service import Service

Application = Sanic[Config, SimpleNamespace]

BODY_LIMIT = 100 << 20
"""Bytes that the body of a request may have."""

IDLE_TIMEOUT = 75
"""Seconds an unused connection is kept; gateways must give theirs up before that."""

_SILENT_TIMEOUT = 60
_MARGIN = 60
_REQUEST_ID = re.compile(r"[!-~]{1,200}")
_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-.*")


class _Request(Request):
    def __init__(self, url_bytes: bytes, **parts: Any) -> None:  # noqa: ANN401  # Sanic's
        try:
            super().__init__(url_bytes, **parts)
        except BadURL:
            if parts["method"] != "NONE":
                raise
            # Sanic makes this one to answer a request that it could not read.
            super().__init__(b"*", **parts)

    @property
    def id(self) -> str:
        """The caller's id as it came, if it is fit for headers and logs."""
        if self._id is None:
            given = self.headers.get("x-request-id", "")
            self._id = given if _REQUEST_ID.fullmatch(given) else str(uuid4())
        return str(self._id)


def create_app(
    manifest: Manifest, interface: Interface, service: Service, endpoint: str | None
) -> Application:
    """An application that serves predictions at / and, if given, at `endpoint`."""
    app = Sanic(
        "cortex",
        config=_config(manifest),
        request_class=_Request,
        configure_logging=False,
    )
    app.ctx.service = service
    app.ctx.summary = _summary(manifest, interface)
    for number, path in enumerate(dict.fromkeys(["/", endpoint or "/"])):
        app.add_route(_predict, path, methods=["POST"], name=f"predict-{number}")
        app.add_route(_get, path, methods=["GET", "HEAD"], name=f"summary-{number}")
    app.on_request(_bind_ids)
    app.error_handler.add(Exception, _explain)
    app.error_handler.add(CancelledError, _ignore)
    return app


def _config(manifest: Manifest) -> Config:
    return Config(
        {
            "ACCESS_LOG": False,
            "AUTO_EXTEND": False,
            "KEEP_ALIVE_TIMEOUT": IDLE_TIMEOUT,
            "MOTD": False,
            "REQUEST_MAX_SIZE": BODY_LIMIT,
            "REQUEST_TIMEOUT": _SILENT_TIMEOUT,
            # The service has a deadline of its own and answers it as it should.
            "RESPONSE_TIMEOUT": manifest.timeout + _MARGIN,
        },
        env_prefix=None,  # the environment belongs to the user's code
    )


def _summary(manifest: Manifest, interface: Interface) -> dict[str, object]:
    hint = interface.predict.payload_type
    return {
        "message": "send a POST request with a payload to this address to predict",
        "api": manifest.name,
        "revision": manifest.revision,
        "predictor": manifest.predictor.qualname,
        "payload": None if hint is None else getattr(hint, "__name__", str(hint)),
    }


async def _predict(request: Request) -> Any:  # noqa: ANN401  # Sanic types it narrower
    service: Service = request.app.ctx.service
    return await service.answer(request)


async def _get(request: Request) -> HTTPResponse:
    return json(request.app.ctx.summary)


async def _bind_ids(request: Request) -> None:
    ids = {"request_id": str(request.id)}
    if trace := _TRACE.fullmatch(request.headers.get("traceparent", "")):
        ids["trace_id"] = trace[1]
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**ids)


async def _explain(request: Request, error: Exception) -> HTTPResponse:
    """What went wrong outside the predictor: routing, a broken or too large request."""
    if not isinstance(error, SanicException):
        logging.getLogger(__name__).error("request failed", exc_info=error)
        detail = "the server failed; the log of this request says more"
        return Problem(500, detail).response(str(request.id))
    problem = Problem(error.status_code, _detail(request, error), headers=error.headers)
    return problem.response(str(request.id))


async def _ignore(request: Request, _error: CancelledError) -> HTTPResponse:
    return Problem(499, "the client has gone").response(str(request.id))


def _detail(request: Request, error: SanicException) -> str:
    match error:
        case NotFound():
            return (
                f"there is no {request.path} here; predictions are POST requests to /"
            )
        case MethodNotAllowed():
            return f"{request.method} is not possible here; use POST to predict"
        case PayloadTooLarge() if "header" not in str(error):
            return f"the body is larger than {BODY_LIMIT >> 20} MiB, the most accepted"
    return str(error)
