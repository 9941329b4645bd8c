"""A request of Sanic's and its response: the long way of a prediction."""

import asyncio
from asyncio import CancelledError
from collections.abc import Callable
from typing import Any

from sanic.compat import Header
from sanic.http import Stage
from sanic.request import Request
from sanic.response import HTTPResponse

from cortex_server.worker.answer import Answer
from cortex_server.worker.call import Call
from cortex_server.worker.outlet import HTTPOutlet
from cortex_server.worker.service import Service
from cortex_server.worker.wire import streamed_head

_AS_IT_CAME = ("utf-8", "surrogateescape")


def call_of(request: Request) -> Call:
    """The call that a request is, the same one whenever it is asked for."""
    call: Call | None = getattr(request.ctx, "call", None)
    if call is None:
        query = request.query_string.encode(*_AS_IT_CAME)
        call = request.ctx.call = Call(request.body or b"", query, fields_of(request))
    return call


def fields_of(request: Request) -> list[tuple[bytes, bytes]]:
    """Header fields as they came, names in lower case; the same list every time."""
    fields: list[tuple[bytes, bytes]] | None = getattr(request.ctx, "fields", None)
    if fields is None:
        fields = request.ctx.fields = [
            (name.lower().encode(*_AS_IT_CAME), value.encode(*_AS_IT_CAME))
            for name, value in request.headers.items()
        ]
    return fields


def response_of(answer: Answer, call: Call) -> HTTPResponse:
    """An answer as Sanic writes it."""
    fields = Header(answer.fields)
    fields["x-request-id"] = call.request_id
    return HTTPResponse(answer.body, answer.status, fields, answer.content_type)


def _unchanged(answer: Answer) -> Answer:
    return answer


async def predict(
    request: Request, form: Callable[[Answer], Answer] = _unchanged
) -> HTTPResponse | None:
    """Predict for a request that PredictProtocol leaves to Sanic.

    Args:
        request: What its call says is predicted.
        form: Gives the answer the form that a protocol asks for.
    """
    call = call_of(request)
    answered: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()

    def reply(answer: Answer) -> None:
        if answer.stream is None:
            answered.set_result(answer)
        else:
            answer.stream.attach(_outlet(request, answer, answered))

    service: Service = request.app.ctx.service
    prediction = service.begin(call, reply)
    try:
        answer = await answered
    except CancelledError:
        if prediction is not None:
            prediction.cancel()
        raise
    if answer is None:  # it was a stream, and is written
        return None
    response = response_of(form(answer), call)
    if answer.after is None:
        return response
    sent = await request.respond(response)
    await sent.send(end_stream=True)
    answer.after()
    return None


def _outlet(
    request: Request, answer: Answer, written: "asyncio.Future[Answer | None]"
) -> HTTPOutlet:
    """Where a stream goes; Sanic learns of the response when it has been written."""
    http: Any = request.stream
    http.respond(HTTPResponse(status=answer.status))
    http.stage, http.response_func = Stage.RESPONSE, None
    # Sanic would send chunks to callers that do not know them.
    is_chunked = request.version != "1.0"
    http.keep_alive &= is_chunked

    def ended(can_go_on: bool) -> None:  # noqa: FBT001  # a callback
        http.stage = Stage.IDLE
        http.keep_alive &= can_go_on
        if not written.done():
            written.set_result(None)

    connection = b"keep-alive" if http.keep_alive else b"close"
    call_id = call_of(request).id
    head = streamed_head(answer, call_id, connection, is_chunked=is_chunked)
    return HTTPOutlet(http.protocol, head, is_chunked=is_chunked, ended=ended)
