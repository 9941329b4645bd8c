"""The short way of a prediction through Sanic: read, answered and written in one go.

Sanic reads requests in Python, makes a Request of each, finds a route and writes the
response piece by piece, which takes several times as long as a small model. For a
plain POST to the address of predictions this protocol does without. Whatever is
unusual about a request, in whichever way, it leaves to Sanic, which then sees exactly
the bytes that came.
"""

from time import monotonic
from typing import Any

from sanic.exceptions import SanicException, ServiceUnavailable
from sanic.http import Http, Stage
from sanic.server.protocols.http_protocol import HttpProtocol

from cortex_server.worker.answer import Answer
from cortex_server.worker.call import NOTHING
from cortex_server.worker.door import Door
from cortex_server.worker.http import StrictHttp
from cortex_server.worker.outlet import HTTPOutlet
from cortex_server.worker.patience import Patience
from cortex_server.worker.prediction import Prediction
from cortex_server.worker.problems import Problem
from cortex_server.worker.service import Service
from cortex_server.worker.wire import streamed_head, written

_CHECK = 1.0
_MOST_HELD = 1 << 18
_NO_ANSWER = "the answer was not ready in time, or not read"
_CROWDED = Problem(
    503,
    "this replica has as many connections as it takes; try again later",
    headers={"Retry-After": "1"},
)
_NOT_YET = object()


class PredictProtocol(HttpProtocol):
    """Sanic's protocol, except that plain predictions do not take Sanic's way."""

    __touchup__ = ()  # type: ignore[assignment]  # what is inherited is touched up
    __slots__ = (
        "_held",
        "_is_answering",
        "_left",
        "_patience",
        "_prediction",
        "_reader",
        "_service",
    )
    HTTP_CLASS = StrictHttp

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  # Sanic's
        super().__init__(**options)
        self._service: Service = self.app.ctx.service
        door: Door = self.app.ctx.door
        self._reader = door.reader(
            self.app.ctx.paths, self.request_max_size, Http.HEADER_MAX_SIZE
        )
        self.request_handler = door
        self._patience = Patience()
        self._left = 0
        self._prediction: Prediction | None = None
        self._is_answering = False
        self._held = b""

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401  # Sanic's
        """A client has connected: one too many is told so and let go."""
        if len(self.connections) < self.app.ctx.most_connections:
            super().connection_made(transport)  # type: ignore[no-untyped-call]  # Sanic's
            return
        self._service.count_other(_CROWDED.status)
        answer = _CROWDED.answer(NOTHING.request_id)
        transport.write(written(answer, NOTHING.id, b"close"))
        transport.close()

    def data_received(self, data: bytes) -> None:
        """Bytes have come: of a prediction, or something for Sanic."""
        reader = self._reader
        if self._is_answering:
            self._hold(data)
        elif reader.is_reading:
            self._time = monotonic()
            self._patience.received += len(data)
            if reader.go_on(data):
                self._answer()
        elif not (self._is_idle() and reader.begin(data)):
            self._patience.received += len(data)
            super().data_received(data)
        else:
            self._time = monotonic()
            if not reader.is_reading:
                self._answer()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone: nobody waits for the answer."""
        if self._prediction is not None:
            self._prediction.cancel()
            self._prediction = None
        if self.conn_info is not None:  # else it was one too many
            super().connection_lost(exc)  # type: ignore[no-untyped-call]  # Sanic's

    def resume_writing(self) -> None:
        """The client has read what was written: it may ask for more."""
        super().resume_writing()  # type: ignore[no-untyped-call]  # Sanic's
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def close_if_idle(self) -> bool:
        """Close the connection unless a request is being read or answered."""
        if self._is_answering or self._reader.is_reading:
            return False
        return bool(super().close_if_idle())

    def check_timeouts(self) -> None:
        """Cut who is too slow; a prediction under way has a limit of its own."""
        now = monotonic()
        self._note_progress(now)
        overdue = None if self._is_answering else self._overdue(now)
        if overdue is None:
            check = self.check_timeouts
            self._callback_check_timeouts = self.loop.call_later(_CHECK, check)
        elif self._reader.is_reading:
            self._break_off(str(overdue))
        elif self._task is not None:
            http: Any = self._http
            http.exception, http.request_body = overdue, None  # the rest of it is moot
            self._task.cancel()

    def _note_progress(self, now: float) -> None:
        """Wait for a client that reads, however slowly."""
        if self.transport is not None and not self._can_write.is_set():
            left = self.transport.get_write_buffer_size()
            if left != self._left:
                self._left, self._time = left, now

    def _overdue(self, now: float) -> SanicException | None:
        """What to say of what has taken too long, be it read here or by Sanic."""
        http: Any = getattr(self, "_http", None)
        if self._reader.is_reading:
            return self._of_body(self._reader.call, now)
        if http is None:
            return None
        if getattr(http, "request_body", None):
            return self._of_body(http.request, now)
        if http.stage is Stage.REQUEST:
            return self._patience.with_head(self.state["requests_count"], now)
        is_idle = http.stage is Stage.IDLE
        limit = self.keep_alive_timeout if is_idle else self.response_timeout
        return ServiceUnavailable(_NO_ANSWER) if now - self._time > limit else None

    def _of_body(self, part: object, now: float) -> SanicException | None:
        is_draining = not self.app.config.KEEP_ALIVE
        last = self._time
        return self._patience.with_body(part, last, now, is_draining=is_draining)

    def _is_idle(self) -> bool:
        """Whether Sanic has nothing to do with the bytes that come next."""
        if self.recv_buffer:
            return False
        http: Any = getattr(self, "_http", _NOT_YET)
        if http is _NOT_YET:
            return True
        if http is None or http.stage is not Stage.IDLE:
            return False
        # It may have answered before the body has come.
        return not getattr(http, "request_body", None)

    def _answer(self) -> None:
        self._is_answering = True
        self._prediction = self._service.begin(self._reader.call, self._reply)

    def _reply(self, answer: Answer) -> None:
        """Write a response, and get ready for the next request."""
        call, self._reader.call = self._reader.call, NOTHING
        keep = self.app.config["KEEP_ALIVE"]  # as an attribute it takes long
        connection = b"keep-alive" if keep else b"close"
        if answer.stream is not None:
            head = streamed_head(answer, call.id, connection, is_chunked=True)
            outlet = HTTPOutlet(self, head, is_chunked=True, ended=self._get_ready)
            answer.stream.attach(outlet)
            return
        transport = self.transport
        if transport is not None and not transport.is_closing():
            transport.write(written(answer, call.id, connection))
        self._get_ready(keep)
        if answer.after is not None:
            answer.after()

    def _get_ready(self, can_go_on: bool) -> None:  # noqa: FBT001  # a callback
        """The response is written: what came in the meantime has its turn now."""
        self._prediction = None
        self._is_answering = bool(self._held or self._reader.rest)
        transport = self.transport
        if transport is not None and not transport.is_closing():
            self._time = monotonic()
            if not (can_go_on and self.app.config["KEEP_ALIVE"]):
                self.close()
            elif not self._can_write.is_set():
                transport.pause_reading()
        if self._is_answering:
            self.loop.call_soon(self._go_on)

    def _break_off(self, why: str) -> None:
        """Give up a body that does not come."""
        call, problem = self._reader.call, Problem(408, why)
        if self.transport is not None:
            self.transport.write(
                written(problem.answer(call.request_id), call.id, b"close")
            )
        self.close()

    def _hold(self, data: bytes) -> None:
        """Keep what comes before its turn."""
        self._held += data
        if len(self._held) > _MOST_HELD and self.transport is not None:
            self.transport.pause_reading()

    def _go_on(self) -> None:
        """Take up what came while a prediction was under way."""
        self._is_answering = False
        if self.transport is None or self.transport.is_closing():
            return
        data = self._reader.rest + self._held
        self._reader.rest = self._held = b""
        if self._can_write.is_set():
            self.transport.resume_reading()
        self.data_received(data)
