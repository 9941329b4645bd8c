"""The short way of a prediction through Sanic: read, answered and written in one go.

Sanic reads requests in Python, makes a Request of each, finds a route and writes the
response piece by piece, which takes several times as long as a small model. For a
plain POST to the address of predictions this protocol does without. Whatever is
unusual about a request, in whichever way, it leaves to Sanic, which then sees exactly
the bytes that came.
"""

from time import monotonic
from typing import Any

from sanic.http import Http, Stage
from sanic.server.protocols.http_protocol import HttpProtocol

from cortex_server.worker.answer import Answer
from cortex_server.worker.call import NOTHING
from cortex_server.worker.door import Door
from cortex_server.worker.outlet import HTTPOutlet
from cortex_server.worker.prediction import Prediction
from cortex_server.worker.problems import Problem
from cortex_server.worker.service import Service
from cortex_server.worker.wire import streamed_head, written

_CHECK = 1.0
_MOST_HELD = 1 << 18
_NOT_YET = object()


class PredictProtocol(HttpProtocol):
    """Sanic's protocol, except that plain predictions do not take Sanic's way."""

    __touchup__ = ()  # type: ignore[assignment]  # what is inherited is touched up
    __slots__ = ("_held", "_is_answering", "_prediction", "_reader", "_service")

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  # Sanic's
        super().__init__(**options)
        self._service: Service = self.app.ctx.service
        door: Door = self.app.ctx.door
        self._reader = door.reader(
            self.app.ctx.paths, self.request_max_size, Http.HEADER_MAX_SIZE
        )
        self.request_handler = door
        self._prediction: Prediction | None = None
        self._is_answering = False
        self._held = b""

    def data_received(self, data: bytes) -> None:
        """Bytes have come: of a prediction, or something for Sanic."""
        reader = self._reader
        if self._is_answering:
            self._hold(data)
        elif reader.is_reading:
            self._time = monotonic()
            if reader.go_on(data):
                self._answer()
        elif not (self._is_idle() and reader.begin(data)):
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
        """Hold Sanic's limits, but not against a prediction: that has its own."""
        if not (self._is_answering or self._reader.is_reading):
            super().check_timeouts()  # type: ignore[no-untyped-call]  # Sanic's
        elif self._is_answering or monotonic() - self._time < self.request_timeout:
            check = self.check_timeouts
            self._callback_check_timeouts = self.loop.call_later(_CHECK, check)
        else:
            self._break_off()

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
        keep = self.app.config.KEEP_ALIVE
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
            if not (can_go_on and self.app.config.KEEP_ALIVE):
                self.close()
            elif not self._can_write.is_set():
                transport.pause_reading()
        if self._is_answering:
            self.loop.call_soon(self._go_on)

    def _break_off(self) -> None:
        """Give up a body of which nothing has come for long."""
        call = self._reader.call
        problem = Problem(408, "the body of the request did not come")
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
