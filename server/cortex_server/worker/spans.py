"""Predictions as OpenTelemetry spans.

A prediction is a span of kind server, a child of the caller's where `traceparent` names
one; `predict` and hooks are children of it. The span takes the caller's place in the
header fields of the call, so that log lines, the user's code and other processes of the
replica find it where they look for the caller's.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from threading import Thread
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Link, Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import (
    TraceContextTextMapPropagator,
)

from cortex_server.worker.call import Call, current, together

FLUSH = 3.0
"""Seconds that spans get to leave when the replica ends."""

_W3C = TraceContextTextMapPropagator()
_REPLACED = (b"traceparent", b"tracestate")
_SERVER_ERROR = 500

Function = Callable[..., Any]


class Tracing:
    """Makes spans; a thread of its own sends them where the OTEL_ variables say."""

    def __init__(
        self,
        api: str,
        revision: str,
        replica: str,
        exporter: SpanExporter | None = None,
    ) -> None:
        ours = {"name": api, "version": revision, "instance.id": replica}
        named = {f"service.{part}": value for part, value in ours.items()}
        given = OTELResourceDetector().detect().attributes
        self._provider = TracerProvider(resource=Resource.create({**named, **given}))
        sending = BatchSpanProcessor(exporter or OTLPSpanExporter())
        self._provider.add_span_processor(sending)
        trace.set_tracer_provider(self._provider)  # the user's own spans go along
        self._tracer = self._provider.get_tracer("cortex_server")
        self._api = api
        self._is_flushed = False

    def open(self, call: Call) -> Span:
        """The span of a prediction begins."""
        span = self._tracer.start_span(
            self._api,
            propagate.extract(_carrier(call)),
            SpanKind.SERVER,
            {
                "http.request.method": "POST",
                "http.request.body.size": len(call.body),
                "cortex.request_id": call.request_id,
            },
        )
        made: dict[str, str] = {}
        _W3C.inject(made, trace.set_span_in_context(span))
        kept = [field for field in call.fields if field[0] not in _REPLACED]
        call.fields = [*kept, *((k.encode(), v.encode()) for k, v in made.items())]
        return span

    def close(self, span: Span, status: int) -> None:
        """The prediction was answered with this status."""
        span.set_attribute("http.response.status_code", status)
        if status >= _SERVER_ERROR:
            span.set_attribute("error.type", str(status))
            span.set_status(StatusCode.ERROR)
        span.end()

    def traced(self, function: Function, name: str) -> Function:
        """The function, each call of it a child of the span of its prediction."""
        if inspect.isasyncgenfunction(function):
            return _async_generator(function, partial(self._span, name))
        if inspect.isgeneratorfunction(function):
            return _generator(function, partial(self._span, name))
        if inspect.iscoroutinefunction(function):
            return _coroutine(function, partial(self._current, name))
        return _plain(function, partial(self._current, name))

    async def flush(self) -> None:
        """Send what is left, for FLUSH seconds at most; nothing is sent after it."""
        if self._is_flushed:
            return
        self._is_flushed = True
        thread = Thread(target=self._provider.shutdown, daemon=True)
        thread.start()
        await asyncio.to_thread(thread.join, FLUSH)

    @contextmanager
    def _current(self, name: str) -> Iterator[None]:
        """A span that what is called inside can see."""
        with self._tracer.start_as_current_span(name, _around(), links=_links()):
            yield

    @contextmanager
    def _span(self, name: str) -> Iterator[None]:
        """One that is not seen: a generator goes on in another context each time."""
        span = self._tracer.start_span(name, _around())
        try:
            yield
        except Exception as error:
            span.record_exception(error)
            span.set_status(StatusCode.ERROR, type(error).__name__)
            raise
        finally:
            span.end()


def _around() -> Context:
    """The context of the prediction that this thread or task works for."""
    call = current.get()
    return _W3C.extract(_carrier(call)) if call else Context()


def _links() -> list[Link]:
    """The predictions of a batch, which has no one to be the child of."""
    calls = [] if current.get() else together.get()
    contexts = [_W3C.extract(_carrier(call)) for call in calls]
    return [Link(trace.get_current_span(each).get_span_context()) for each in contexts]


def _carrier(call: Call) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in call.fields}


def _text(field: bytes) -> str:
    return field.decode("latin-1")


def _plain(function: Function, span: Function) -> Function:
    @wraps(function)
    def traced(**arguments: Any) -> Any:  # noqa: ANN401  # the user's
        with span():
            return function(**arguments)

    return traced


def _coroutine(function: Function, span: Function) -> Function:
    @wraps(function)
    async def traced(**arguments: Any) -> Any:  # noqa: ANN401  # the user's
        with span():
            return await function(**arguments)

    return traced


def _generator(function: Function, span: Function) -> Function:
    @wraps(function)
    def traced(**arguments: Any) -> Iterator[Any]:  # noqa: ANN401  # the user's
        with span():
            yield from function(**arguments)

    return traced


def _async_generator(function: Function, span: Function) -> Function:
    @wraps(function)
    async def traced(**arguments: Any) -> AsyncIterator[Any]:  # noqa: ANN401  # the user's
        with span():
            async for item in function(**arguments):
                yield item

    return traced
