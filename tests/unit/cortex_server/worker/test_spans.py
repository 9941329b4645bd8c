import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from cortex_server.interface import interface_of
from cortex_server.worker.call import Call, current
from cortex_server.worker.spans import Tracing
from cortex_server.worker.traced import TracedPredictor

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
FIELDS = [
    (b"traceparent", f"00-{TRACE}-{CALLER}-01".encode()),
    (b"x-request-id", b"one"),
]


class Sent:
    """A tracing, and what it has sent."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.tracing = Tracing("iris", "abc", "one", self._exporter)

    def spans(self) -> dict[str, ReadableSpan]:
        self.tracing._provider.force_flush()
        return {span.name: span for span in self._exporter.get_finished_spans()}


@pytest.fixture(scope="module")
def made() -> Iterator[Sent]:
    sent = Sent()
    yield sent
    sent.tracing._provider.shutdown()


@pytest.fixture
def sent(made: Sent) -> Iterator[Sent]:
    made._exporter.clear()
    token = current.set(None)
    yield made
    current.reset(token)


def parent_of(span: ReadableSpan) -> str:
    assert span.parent
    return trace.format_span_id(span.parent.span_id)


def test_the_span_of_a_call_takes_the_place_of_its_caller(sent: Sent) -> None:
    call = Call(b"body", b"", [*FIELDS, (b"tracestate", b"vendor=x")])

    span = sent.tracing.open(call)
    sent.tracing.close(span, 200)

    (ended,) = sent.spans().values()
    assert parent_of(ended) == CALLER
    made = trace.format_span_id(span.get_span_context().span_id)
    assert call.field(b"traceparent") == f"00-{TRACE}-{made}-01".encode()
    assert call.field(b"tracestate") == b"vendor=x"
    assert call.trace_id == TRACE
    assert call.request_id == "one"
    assert ended.attributes == {
        "http.request.method": "POST",
        "http.request.body.size": 4,
        "http.response.status_code": 200,
        "cortex.request_id": "one",
    }


@pytest.mark.parametrize("status", [200, 422, 499, 500, 504])
def test_an_error_is_what_the_server_is_to_blame_for(sent: Sent, status: int) -> None:
    sent.tracing.close(sent.tracing.open(Call(b"", b"", [])), status)

    (ended,) = sent.spans().values()
    is_error = ended.status.status_code is StatusCode.ERROR
    assert is_error == (status >= 500)


@pytest.mark.parametrize(
    "nonsense", [b"", b"00-0-0-0", b"\xff" * 300, b"ff-" + b"0" * 50]
)
def test_a_caller_that_cannot_be_read_is_no_parent(sent: Sent, nonsense: bytes) -> None:
    call = Call(b"", b"", [(b"traceparent", nonsense)])

    sent.tracing.close(sent.tracing.open(call), 200)

    (ended,) = sent.spans().values()
    assert ended.parent is None
    assert call.trace_id


def plain(*, fails: bool) -> str:
    if fails:
        raise ValueError
    return current_name()


async def coroutine(*, fails: bool) -> str:
    return plain(fails=fails)


def generator(*, fails: bool) -> Iterator[int]:
    yield 1
    plain(fails=fails)


async def async_generator(*, fails: bool) -> AsyncIterator[int]:
    yield 1
    plain(fails=fails)


def current_name() -> str:
    span: Any = trace.get_current_span()
    return str(getattr(span, "name", "none"))


async def run(function: Any, *, fails: bool) -> object:
    result = function(fails=fails)
    if hasattr(result, "__await__"):
        return await result
    if hasattr(result, "__aiter__"):
        return [item async for item in result]
    return result if isinstance(result, str) else list(result)


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("function", [plain, coroutine, generator, async_generator])
def test_each_kind_of_function_has_a_span_as_long_as_itself(
    sent: Sent,
    function: Any,
    fails: bool,  # noqa: FBT001  # a parameter
) -> None:
    call = Call(b"", b"", list(FIELDS))
    current.set(call)
    traced = sent.tracing.traced(function, "predict")

    if fails:
        with pytest.raises(ValueError, match=r"^$"):
            asyncio.run(run(traced, fails=True))
    else:
        result = asyncio.run(run(traced, fails=False))
        assert result == ([1] if "generator" in function.__name__ else "predict")

    ended = sent.spans()["predict"]
    assert parent_of(ended) == CALLER
    assert (ended.status.status_code is StatusCode.ERROR) == fails
    assert [event.name for event in ended.events] == ["exception"] * fails
    assert current_name() == "none"


def test_a_traced_predictor_is_otherwise_the_users() -> None:
    class Iris:
        size = 3

        def predict(self, payload: int) -> int:
            return payload + self.size

        def post_predict(self) -> str:
            return current_name()

    sent = Sent()
    traced = TracedPredictor(Iris(), interface_of(Iris), sent.tracing)

    assert traced.size == 3
    assert traced.predict(payload=1) == 4
    assert traced.post_predict() == "post_predict"
    assert sorted(sent.spans()) == ["post_predict", "predict"]
    sent.tracing._provider.shutdown()
