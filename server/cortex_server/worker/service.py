"""A prediction from request to response: arguments in, result out, all counted."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any

import structlog
from multidict import MultiDict
from sanic.exceptions import SanicException
from sanic.request import Request
from sanic.response import BaseHTTPResponse

from cortex_server.board import Board
from cortex_server.interface import Interface, Method
from cortex_server.manifest import Manifest
from cortex_server.worker.execution import Threads
from cortex_server.worker.hooks import Hooks
from cortex_server.worker.payloads import Decoder, decoder_for
from cortex_server.worker.problems import Problem
from cortex_server.worker.results import NotJSONError, response_of
from cortex_server.worker.user_code import own_frames

_CLIENT_CLOSED_REQUEST = 499
_RETRY_AFTER = {"Retry-After": "1"}

_ARGUMENTS: dict[str, Callable[[Request], Any]] = {
    "query_params": lambda request: MultiDict(
        request.get_query_args(keep_blank_values=True)
    ),
    "headers": lambda request: request.headers,
    "request_id": lambda request: str(request.id),
    "logger": lambda _request: structlog.get_logger(),
}


class Service:
    """Answers predictions with one predictor."""

    def __init__(
        self,
        predictor: Any,  # noqa: ANN401  # the user's
        interface: Interface,
        manifest: Manifest,
        board: Board,
        threads: Threads,
    ) -> None:
        self._method = interface.predict
        self._predict = predictor.predict
        self._manifest = manifest
        self._board = board
        self._threads = threads
        self._decode = _decoder(interface)
        self.hooks: Hooks | None = None
        if interface.post_predict:
            self.hooks = Hooks(interface.post_predict, predictor.post_predict, board)

    async def answer(self, request: Request) -> BaseHTTPResponse | None:
        """Respond to a prediction; None when the response has been sent already."""
        started = monotonic()
        if self._board.in_flight >= self._manifest.max_replica_concurrency:
            return self._refused(request)
        self._board.enter(started)
        code = _CLIENT_CLOSED_REQUEST  # unless nobody hangs up
        try:
            response, hook = await self._respond(request)
            code = response.status
        finally:
            ended = monotonic()
            self._board.leave(ended)
            self._board.answered(code, ended - started)
        response.headers["x-request-id"] = str(request.id)
        if hook is None or self.hooks is None:
            return response
        response = await request.respond(response)
        await response.send(end_stream=True)
        self.hooks.submit(hook)
        return None

    def _refused(self, request: Request) -> BaseHTTPResponse:
        self._board.refuse()
        detail = (
            f"this replica has {self._manifest.max_replica_concurrency} requests in"
            " flight, as many as it takes; try again later"
        )
        return Problem(503, detail, headers=_RETRY_AFTER).response(str(request.id))

    async def _respond(
        self, request: Request
    ) -> tuple[BaseHTTPResponse, dict[str, Any] | None]:
        """The response, and the arguments of the hook that is to follow it."""
        try:
            async with asyncio.timeout(self._manifest.timeout) as deadline:
                payload = self._decode(request) if self._decode else None
                given = _arguments(self._method, request, payload)
                result = await self._threads.run(self._method, self._predict, given)
            response = response_of(result)
        except Problem as problem:
            return problem.response(str(request.id)), None
        except BaseException as error:  # the boundary around the user's code
            if _is_cancelled(error):
                raise
            failed = self._expired() if deadline.expired() else _problem_of(error)
            return failed.response(str(request.id)), None
        return response, self._hook(request, payload, result)

    def _hook(self, request: Request, payload: object, result: object) -> Any:  # noqa: ANN401  # arguments
        if self.hooks is None:
            return None
        given = _arguments(self.hooks.method, request, payload)
        if "response" in self.hooks.method.arguments:
            given["response"] = result
        return given

    def _expired(self) -> Problem:
        limit = self._manifest.timeout
        structlog.get_logger().error("request timed out", timeout=limit)
        return Problem(504, f"the prediction took more than {limit:g} seconds")


def _decoder(interface: Interface) -> Decoder | None:
    hook = interface.post_predict
    if interface.predict.wants_payload:
        return decoder_for(interface.predict.payload_type)
    return decoder_for(hook.payload_type) if hook and hook.wants_payload else None


def _arguments(method: Method, request: Request, payload: object) -> dict[str, Any]:
    given = {
        name: get(request)
        for name, get in _ARGUMENTS.items()
        if name in method.arguments
    }
    if method.wants_payload:
        given["payload"] = payload
    return given


def _is_cancelled(error: BaseException) -> bool:
    """Whether the caller hung up, and not the user's code that cancelled something."""
    task = asyncio.current_task()
    is_cancelled = task is not None and task.cancelling() > 0
    return is_cancelled and isinstance(error, asyncio.CancelledError)


def _problem_of(error: BaseException) -> Problem:
    """What the caller may know of an exception: its own status, or nothing."""
    if isinstance(error, SanicException):
        return Problem(error.status_code, str(error), headers=error.headers)
    if isinstance(error, NotJSONError):
        structlog.get_logger().error(str(error))
        detail = "the predictor returned something that cannot be written as JSON"
    else:
        structlog.get_logger().error("predict failed", exc_info=own_frames(error))
        detail = "the predictor raised an exception"
    return Problem(500, f"{detail}; the log of this request says more")
