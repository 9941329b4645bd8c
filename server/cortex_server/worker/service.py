"""A prediction from request to response: arguments in, result out, all counted."""

from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

import structlog
from sanic.exceptions import SanicException

from cortex_server.board import Board
from cortex_server.interface import Interface, Method
from cortex_server.manifest import Manifest
from cortex_server.worker.answer import Answer, fields_of, is_status
from cortex_server.worker.call import Call, current
from cortex_server.worker.deadlines import Deadlines
from cortex_server.worker.execution import Arguments, Threads, Work, on_loop
from cortex_server.worker.hooks import Hooks
from cortex_server.worker.pace import Pace
from cortex_server.worker.payloads import Decoder, decoder_for
from cortex_server.worker.problems import Problem
from cortex_server.worker.results import NotJSONError, answer_of
from cortex_server.worker.user_code import own_frames

_CLIENT_CLOSED_REQUEST = 499
_RETRY_AFTER = {"Retry-After": "1"}

Reply = Callable[[Answer], None]
"""Writes a response; called once, on the loop."""

_ARGUMENTS: dict[str, Callable[[Call], Any]] = {
    "query_params": lambda call: call.query_params,
    "headers": lambda call: call.headers,
    "request_id": lambda call: call.request_id,
    "logger": lambda _call: structlog.get_logger(),
}


class Prediction:
    """An accepted request, until it is answered or nobody waits for it."""

    __slots__ = ("call", "is_over", "payload", "reply", "service", "started", "work")

    def __init__(
        self, service: "Service", call: Call, reply: Reply, started: float
    ) -> None:
        self.service = service
        self.call = call
        self.reply = reply
        self.started = started
        self.payload: Any = None
        self.work: Work | None = None
        self.is_over = False

    def done(self, result: Any, error: BaseException | None) -> None:  # noqa: ANN401  # the user's
        """The predictor has returned or raised."""
        if not self.is_over:
            if self.work is not None and self.work.seconds:
                self.service.pace.took_in_thread(self.work.seconds)
            self.service.conclude(self, result, error)

    def expire(self) -> None:
        """The time limit has passed."""
        self._give_up()
        self.service.too_late(self)

    def cancel(self) -> None:
        """The client has hung up."""
        if not self.is_over:
            self._give_up()
            self.service.count(self, _CLIENT_CLOSED_REQUEST)

    def _give_up(self) -> None:
        if self.work is not None:
            self.work.give_up()


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
        self._limit = manifest.max_replica_concurrency
        self._timeout = manifest.timeout
        self._deadlines = Deadlines(manifest.timeout)
        self._board = board
        self._threads = threads
        self._decode = _decoder(interface)
        self._bind = _binder(interface.predict)
        self.pace = Pace(manifest.threads_per_process)
        self.hooks: Hooks | None = None
        if interface.post_predict:
            self.hooks = Hooks(interface.post_predict, predictor.post_predict, board)
            self._bind_hook = _binder(interface.post_predict)

    def begin(self, call: Call, reply: Reply) -> Prediction | None:
        """Take on a prediction, or refuse it at once.

        Returns None when it has been answered already.
        """
        board, started = self._board, monotonic()
        if board.in_flight >= self._limit:
            reply(self._refused(call))
            return None
        board.enter(started)
        prediction = Prediction(self, call, reply, started)
        try:
            prediction.payload = self._decode(call)
            arguments = self._bind(call, prediction.payload)
        except Problem as problem:
            self._end(prediction, problem.answer(call.request_id))
            return None
        except BaseException as failure:  # noqa: BLE001  # the user's types check it
            self._fail(prediction, failure)
            return None
        return self._run(prediction, arguments)

    def conclude(
        self,
        prediction: Prediction,
        result: Any,  # noqa: ANN401  # the user's
        error: BaseException | None,
    ) -> None:
        """Answer with what the predictor returned or raised."""
        if error is not None:
            self._fail(prediction, error)
            return
        try:
            answer = answer_of(result)
        except BaseException as failure:  # noqa: BLE001  # around the user's code
            self._fail(prediction, failure)
            return
        if self.hooks is not None:
            answer.after = partial(self._follow_up, self.hooks, prediction, result)
        self._end(prediction, answer)

    def too_late(self, prediction: Prediction) -> None:
        """Answer a prediction that took longer than the time limit."""
        call = prediction.call
        current.set(call)
        structlog.get_logger().error("request timed out", timeout=self._timeout)
        detail = f"the prediction took more than {self._timeout:g} seconds"
        self._end(prediction, Problem(504, detail).answer(call.request_id))

    def count(self, prediction: Prediction, status: int) -> None:
        """Let go of a prediction that ended with this status."""
        prediction.is_over = True
        prediction.work = None  # it leads back here: large payloads would wait for gc
        self._deadlines.forget(prediction)
        ended = monotonic()
        self._board.leave(ended)
        self._board.answered(status, ended - prediction.started)

    def _run(self, prediction: Prediction, arguments: Arguments) -> Prediction | None:
        if self.pace.in_place and self._ran_in_place(prediction, arguments):
            return None
        prediction.work = Work(prediction.call, arguments, prediction.done)
        if self._method.is_async:
            on_loop(self._predict, prediction.work)
        else:
            self._threads.submit(self._predict, prediction.work)
        self._deadlines.watch(prediction)
        return prediction

    def _ran_in_place(self, prediction: Prediction, arguments: Arguments) -> bool:
        """Run and conclude it here; False when it insists on the thread it knows."""
        current.set(prediction.call)
        began = monotonic()
        result = error = None
        try:
            result = self._predict(**arguments)
        except BaseException as raised:  # noqa: BLE001  # around the user's code
            error = raised
            if "thread" in _text(raised).lower():  # as sqlite3 says, before it works
                self.pace.stay_in_thread()
                return False
        self.pace.took_in_place(monotonic() - began)
        self.conclude(prediction, result, error)
        return True

    def _fail(self, prediction: Prediction, error: BaseException) -> None:
        call = prediction.call
        current.set(call)
        self._end(prediction, _problem_of(error).answer(call.request_id))

    def _end(self, prediction: Prediction, answer: Answer) -> None:
        self.count(prediction, answer.status)
        prediction.reply(answer)

    def _refused(self, call: Call) -> Answer:
        self._board.refuse()
        detail = (
            f"this replica has {self._limit} requests in flight, as many as it takes;"
            " try again later"
        )
        return Problem(503, detail, headers=_RETRY_AFTER).answer(call.request_id)

    def _follow_up(self, hooks: Hooks, prediction: Prediction, result: object) -> None:
        arguments = self._bind_hook(prediction.call, prediction.payload)
        if "response" in hooks.method.arguments:
            arguments["response"] = result
        hooks.submit(prediction.call, arguments)


def _decoder(interface: Interface) -> Decoder:
    hook = interface.post_predict
    if interface.predict.wants_payload:
        return decoder_for(interface.predict.payload_type)
    if hook and hook.wants_payload:
        return decoder_for(hook.payload_type)
    return lambda _call: None


def _binder(method: Method) -> Callable[[Call, Any], Arguments]:
    """How to make the arguments of a method from a call and its payload."""
    getters = [
        (name, get) for name, get in _ARGUMENTS.items() if name in method.arguments
    ]

    def bind(call: Call, payload: object) -> Arguments:
        arguments = {name: get(call) for name, get in getters} if getters else {}
        if method.wants_payload:
            arguments["payload"] = payload
        return arguments

    return bind


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001  # the user's exceptions need not have a text
        return type(error).__name__


def _problem_of(error: BaseException) -> Problem:
    """What the caller may know of an exception: its own status, or nothing."""
    if isinstance(error, SanicException):
        status = error.status_code if is_status(error.status_code) else 500
        return Problem(status, _text(error), headers=fields_of(error.headers))
    if isinstance(error, NotJSONError):
        structlog.get_logger().error(str(error))
        detail = "the predictor returned something that cannot be written as JSON"
    else:
        structlog.get_logger().error("predict failed", exc_info=own_frames(error))
        detail = "the predictor raised an exception"
    return Problem(500, f"{detail}; the log of this request says more")
