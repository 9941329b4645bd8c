"""A request of Sanic's and its response: the long way of a prediction."""

import asyncio
from asyncio import CancelledError
from collections.abc import Callable
from typing import Any

from sanic.compat import Header
from sanic.http import Stage
from sanic.request import Request
from sanic.response import HTTPResponse

from cortex_server.worker.answer import Answer, Streamed
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
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    service: Service = request.app.ctx.service
    prediction = service.begin(call, answered.set_result)
    try:
        answer = await answered
        if answer.stream is not None:
            await _stream(request, answer, answer.stream)
            return None
    except CancelledError:
        if prediction is not None:
            prediction.cancel()
        raise
    response = response_of(form(answer), call)
    if answer.after is None:
        return response
    sent = await request.respond(response)
    await sent.send(end_stream=True)
    answer.after()
    return None


async def _stream(request: Request, answer: Answer, stream: Streamed) -> None:
    """Let a stream write itself; Sanic has only its say about the header fields."""
    http: Any = request.stream
    ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    is_chunked = request.version != "1.0"  # Sanic would send chunks all the same
    http.keep_alive &= is_chunked
    response = HTTPResponse(status=answer.status, headers=Header(answer.fields))
    answer.fields = (await request.respond(response)).headers
    http.stage, http.response_func = Stage.RESPONSE, None
    connection = b"keep-alive" if http.keep_alive else b"close"
    call_id = call_of(request).id
    head = streamed_head(answer, call_id, connection, is_chunked=is_chunked)

    def end(can_go_on: bool) -> None:  # noqa: FBT001  # a callback
        if not ended.cancelled():  # as it is when the client has gone
            ended.set_result(can_go_on)

    outlet = HTTPOutlet(http.protocol, head, is_chunked=is_chunked, ended=end)
    stream.attach(outlet)
    http.keep_alive &= await ended
    http.stage = Stage.IDLE
