"""The public address: routes, and every error in one shape."""

import logging
import resource
from asyncio import CancelledError
from types import SimpleNamespace
from typing import Any

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

from cortex_server.manifest import Manifest
from cortex_server.worker.admission import Admission
from cortex_server.worker.call import current
from cortex_server.worker.compression import unpack
from cortex_server.worker.cors import Origins
from cortex_server.worker.description import Description
from cortex_server.worker.door import Door
from cortex_server.worker.exchange import call_of, predict, response_of
from cortex_server.worker.grammar import LARGEST_HEAD, flaw_in, flaw_of_large_head
from cortex_server.worker.openapi.routes import DOCUMENT_PATH, PAGE, Pages, prefix_of
from cortex_server.worker.problems import Problem
from cortex_server.worker.service import Service
from cortex_server.worker.v2.routes import Routes, as_error, is_of_protocol

Application = Sanic[Config, SimpleNamespace]

IDLE_TIMEOUT = 75
"""Seconds an unused connection is kept; gateways must give theirs up before that."""

_MEBIBYTE = 1 << 20
_MARGIN = 60
_WAITING = 10_000
_OTHER_FILES = 256


class _Request(Request):
    def __init__(self, url_bytes: bytes, **parts: Any) -> None:  # noqa: ANN401  # Sanic's
        head = parts.get("head", b"")
        if head and (flaw := flaw_in(head)):
            status, reason = flaw
            raise SanicException(reason, status)
        try:
            super().__init__(url_bytes, **parts)
        except BadURL:
            if parts["method"] != "NONE":
                raise
            # Sanic makes this one to answer a request that it could not read.
            super().__init__(b"*", **parts)


def create_app(
    manifest: Manifest,
    description: Description,
    service: Service,
    endpoint: str | None,
    admission: Admission | None = None,
) -> Application:
    """An application that serves predictions at / and, if given, at `endpoint`.

    Everybody may call who reaches it, unless `admission` is given.
    """
    app = Sanic(
        "cortex",
        config=_config(manifest),
        request_class=_Request,
        configure_logging=False,
    )
    app.ctx.service = service
    app.ctx.most_connections = most_connections(manifest.max_replica_concurrency)
    app.ctx.paths = frozenset(path.encode() for path in ("/", endpoint or "/"))
    app.ctx.summary = _summary(manifest, description)
    app.ctx.has_models = manifest.models is not None
    for number, path in enumerate(dict.fromkeys(["/", endpoint or "/"])):
        app.add_route(predict, path, methods=["POST"], name=f"predict-{number}")
        app.add_route(_get, path, methods=["GET", "HEAD"], name=f"summary-{number}")
    app.ctx.prefixes = tuple(dict.fromkeys(["", (endpoint or "").rstrip("/")]))
    pages = {f"{prefix}{PAGE}" for prefix in app.ctx.prefixes}
    app.ctx.open_paths = pages - {path.decode() for path in app.ctx.paths}
    Pages(service.ask).add_to(app, app.ctx.prefixes)
    Routes(manifest, service.ask).add_to(app, app.ctx.prefixes)
    origins = Origins(manifest.cors) if manifest.cors else None
    app.ctx.door = Door(app, admission, origins, service.count_other)
    app.on_request(unpack)
    app.on_request(_remember)
    app.error_handler.add(Exception, _explain)
    app.error_handler.add(CancelledError, _ignore)
    return app


def most_connections(max_concurrency: int) -> int:
    """Connections that a replica takes: idle ones besides those that are answered."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max_concurrency + _WAITING
    return most if files == resource.RLIM_INFINITY else min(most, files - _OTHER_FILES)


def _config(manifest: Manifest) -> Config:
    return Config(
        {
            "ACCESS_LOG": False,
            "AUTO_EXTEND": False,
            "KEEP_ALIVE_TIMEOUT": IDLE_TIMEOUT,
            "MOTD": False,
            "REQUEST_MAX_SIZE": manifest.max_body_size,
            "REQUEST_MAX_HEADER_SIZE": LARGEST_HEAD,
            # The service has a deadline of its own and answers it as it should.
            "RESPONSE_TIMEOUT": manifest.timeout + _MARGIN,
        },
        env_prefix=None,  # the environment belongs to the user's code
    )


def _summary(manifest: Manifest, description: Description) -> dict[str, object]:
    return {
        "message": "send a POST request with a payload to this address to predict",
        "api": manifest.name,
        "revision": manifest.revision,
        "predictor": manifest.predictor.qualname,
        "payload": description.payload,
    }


async def _remember(request: Request) -> None:
    """Make it the call that log lines are about."""
    current.set(call_of(request))


async def _get(request: Request) -> HTTPResponse:
    prefix = prefix_of(request)
    pages = {"docs": f"{prefix}{PAGE}", "openapi": f"{prefix}{DOCUMENT_PATH}"}
    summary = {**request.app.ctx.summary, **pages}
    if request.app.ctx.has_models:
        from cortex_server.worker.models.questions import asked  # noqa: PLC0415  # most have none

        summary["models"] = await asked(request.app.ctx.service.ask)
    body: HTTPResponse = json(summary)
    body.headers["x-request-id"] = call_of(request).request_id
    return body


async def _explain(request: Request, error: Exception) -> HTTPResponse:
    """What went wrong outside the predictor: routing, a broken or too large request."""
    call = call_of(request)
    if isinstance(error, Problem):
        problem = error
    elif isinstance(error, SanicException):
        status, detail = _explained(request, error)
        problem = Problem(status, detail, headers=error.headers)
    else:
        logging.getLogger(__name__).error("request failed", exc_info=error)
        problem = Problem(500, "the server failed; the log of this request says more")
    answer = problem.answer(call.request_id)
    if is_of_protocol(request):
        answer = as_error(answer)
    return response_of(answer, call)


async def _ignore(request: Request, _error: CancelledError) -> HTTPResponse:
    call = call_of(request)
    gone = Problem(499, "the client has gone")
    return response_of(gone.answer(call.request_id), call)


def _explained(request: Request, error: SanicException) -> tuple[int, str]:
    detail = str(error)
    match error:
        case NotFound():
            detail = (
                f"there is no {request.path} here; predictions are POST requests to /"
            )
        case MethodNotAllowed():
            detail = f"{request.method} is not possible here; use POST to predict"
        case PayloadTooLarge() if "header" in detail:
            stream: Any = request.stream
            return flaw_of_large_head(bytes(stream.recv_buffer))
        case PayloadTooLarge():
            detail = _too_large(request.app.config.REQUEST_MAX_SIZE)
    return error.status_code, detail


def _too_large(limit: int) -> str:
    size = f"{limit} bytes" if limit < _MEBIBYTE else f"{limit / _MEBIBYTE:.6g} MiB"
    return (
        f"the body is larger than {size}, the most that this API accepts;"
        " `max_body_size` of its declaration is that limit"
    )
