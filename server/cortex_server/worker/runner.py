"""The predictor in this process: arguments in, answer out."""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from functools import cached_property, partial
from time import monotonic
from typing import TYPE_CHECKING, Any

import structlog
from sanic.exceptions import SanicException

from cortex_server.interface import Interface, Method
from cortex_server.worker.answer import Answer, fields_of, is_status
from cortex_server.worker.call import Call, current
from cortex_server.worker.chunks import chunks_of, explained
from cortex_server.worker.execution import Arguments, Function, Threads, Work, on_loop
from cortex_server.worker.hooks import Hooks
from cortex_server.worker.items import Writer, wants_events
from cortex_server.worker.pace import Pace
from cortex_server.worker.payloads import Decoder, decoder_for
from cortex_server.worker.prediction import Prediction
from cortex_server.worker.problems import Problem
from cortex_server.worker.results import NotJSONError, answer_of
from cortex_server.worker.start import shared_metrics
from cortex_server.worker.stream import Stream
from cortex_server.worker.user_code import own_frames

if TYPE_CHECKING:
    from cortex_server.worker.v2.tensors import Tensors


LARGE = 1 << 16
"""Bytes of a body that is not decoded on the loop, where the others would wait."""

_ARGUMENTS: dict[str, Callable[[Call], Any]] = {
    "query_params": lambda call: call.query_params,
    "headers": lambda call: call.headers,
    "request_id": lambda call: call.request_id,
    "metrics": lambda _call: shared_metrics(),
    "logger": lambda _call: structlog.get_logger(),
}


Submit = Callable[[Work], None]
"""Has a piece of work run, now or later."""


class Runner:
    """Answers predictions with one predictor."""

    def __init__(
        self,
        predictor: Any,  # noqa: ANN401  # the user's
        interface: Interface,
        threads: Threads,
        hooks: Hooks | None = None,
        submit: Submit | None = None,
    ) -> None:
        method = interface.predict
        self._predict = _awaitable(getattr(predictor, method.name))
        self._threads = threads
        followers = hooks.methods if hooks else []
        self._decode = _decoder([interface.predict, *followers])
        hint = interface.predict.payload_type
        self._decodes_large_in_thread = (
            not (interface.predict.is_async or submit) and hint is not bytes
        )
        self._interface = interface
        self._bind = binder(interface.predict)
        self._start = submit or _starter(method, self._predict, threads)
        self.pace = Pace(threads.number)
        self.see: Callable[[Call, Any], None] | None = None
        """What counts results once they are answered."""
        self.questions: dict[str, Callable[[Any], Awaitable[Any]]] = {}
        """What the public address may ask, and who answers."""
        self.flush: Callable[[], Awaitable[None]] | None = None
        """What is to be done last, before the process ends."""
        self._hooks = hooks

    def run(self, prediction: Prediction) -> None:
        """Answer a prediction, now or later."""
        call = prediction.call
        if len(call.body) > LARGE and self._decodes_large_in_thread:
            done = partial(self._done, prediction)
            prediction.work = Work(call, {"prediction": prediction}, done)
            self._threads.submit(self._decode_and_predict, prediction.work)
            return
        try:
            prediction.payload = self._payload_of(call)
            arguments = self._bind(call, prediction.payload)
        except Problem as problem:
            prediction.end(problem.answer(call.request_id))
        except BaseException as failure:  # noqa: BLE001  # the user's types check it
            _fail(prediction, failure)
        else:
            if not (self.pace.in_place and self._ran_in_place(prediction, arguments)):
                self._submit(prediction, arguments)

    async def ask(self, name: str, data: Any) -> list[Any]:  # noqa: ANN401  # plain data
        """Ask each process that has a predictor; here there is one."""
        return [await self.questions[name](data)]

    async def drain(self, seconds: float) -> None:
        """Let accepted hooks finish, for so long at most; it is the end."""
        if self._hooks is not None:
            await self._hooks.drain(seconds)
        if self.flush is not None:
            await self.flush()

    def _submit(self, prediction: Prediction, arguments: Arguments) -> None:
        done = partial(self._done, prediction)
        prediction.work = Work(prediction.call, arguments, done)
        self._start(prediction.work)

    @cached_property
    def _tensors(self) -> "Tensors":
        from cortex_server.worker.v2.tensors import Tensors  # noqa: PLC0415  # few need it

        return Tensors(self._interface)

    def _payload_of(self, call: Call) -> Any:  # noqa: ANN401  # the user's type
        return self._tensors.payload_of(call) if call.model else self._decode(call)

    def _decode_and_predict(self, prediction: Prediction) -> Any:  # noqa: ANN401  # the user's
        """Do all of it in a thread: a large body holds up nobody, and exists once."""
        call = prediction.call
        prediction.payload = self._payload_of(call)
        return self._predict(**self._bind(call, prediction.payload))

    def _done(
        self,
        prediction: Prediction,
        result: Any,  # noqa: ANN401  # the user's
        error: BaseException | None,
    ) -> None:
        if prediction.is_over:
            return
        work = prediction.work
        if isinstance(work, Work) and work.seconds:
            self.pace.took_in_thread(work.seconds)
        self._conclude(prediction, result, error)

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
        self._conclude(prediction, result, error)
        return True

    def _conclude(
        self,
        prediction: Prediction,
        result: Any,  # noqa: ANN401  # the user's
        error: BaseException | None,
    ) -> None:
        """Answer with what the predictor returned or raised."""
        if error is not None:
            _fail(prediction, error)
            return
        try:
            answer = self._answer_of(result, prediction.call)
        except BaseException as failure:  # noqa: BLE001  # around the user's code
            _fail(prediction, failure)
            return
        if answer is None:
            self._stream(prediction, result)
            return
        if self._hooks is not None:
            call, payload = prediction.call, prediction.payload
            answer.after = partial(self._hooks.follow, call, payload, result)
        prediction.end(answer)
        if self.see is not None:
            self.see(prediction.call, result)

    def _stream(self, prediction: Prediction, items: Any) -> None:  # noqa: ANN401  # the user's
        """Answer with one item after the other."""
        call, payload, hooks = prediction.call, prediction.payload, self._hooks
        keeps = hooks is not None and hooks.want_response
        writer = Writer(as_events=wants_events(call), keeps=keeps)

        def head() -> Answer:
            answer = writer.answer()
            if hooks is not None:
                answer.after = partial(hooks.follow, call, payload, writer.kept)
            return answer

        def explain(error: BaseException) -> Answer:
            return _problem_of(error).answer(call.request_id)

        chunks = explained(chunks_of(items, writer.write, self._threads, call), explain)
        prediction.work = Stream(prediction, chunks, head)

    def _answer_of(self, result: Any, call: Call) -> Answer | None:  # noqa: ANN401  # the user's
        if call.model:
            return self._tensors.answer_of(result, call)
        return answer_of(result)


def _starter(method: Method, predict: Function, threads: Threads) -> Submit:
    """How each request gets a call of its own."""
    if method.is_async:
        return partial(on_loop, predict)
    return partial(threads.submit, predict)


def _awaitable(predict: Function) -> Function:
    """The function itself, or one that is awaited for what it yields later."""
    if not inspect.isasyncgenfunction(predict):
        return predict

    async def generator(**arguments: Any) -> Any:  # noqa: ANN401  # the user's
        return predict(**arguments)

    return generator


def _decoder(methods: Iterable[Method]) -> Decoder:
    """Of the first that asks for the payload; all others get the same."""
    for method in methods:
        if method.wants_payload:
            return decoder_for(method.payload_type)
    return lambda _call: None


def binder(method: Method) -> Callable[[Call, Any], Arguments]:
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


def _fail(prediction: Prediction, error: BaseException) -> None:
    call = prediction.call
    current.set(call)
    prediction.end(_problem_of(error).answer(call.request_id))


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001  # the user's exceptions need not have a text
        return type(error).__name__


def _problem_of(error: BaseException) -> Problem:
    """What the caller may know of an exception: its own status, or nothing."""
    if isinstance(error, Problem):
        return error
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
