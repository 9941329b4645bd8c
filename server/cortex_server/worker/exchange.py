"""A request of Sanic's and its response: the long way of a prediction."""

import asyncio
from asyncio import CancelledError
from collections.abc import Callable

from sanic.compat import Header
from sanic.request import Request
from sanic.response import HTTPResponse

from cortex_server.worker.answer import Answer
from cortex_server.worker.call import Call
from cortex_server.worker.service import Service

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
    answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    service: Service = request.app.ctx.service
    prediction = service.begin(call, answer.set_result)
    try:
        response = response_of(form(await answer), call)
    except CancelledError:
        if prediction is not None:
            prediction.cancel()
        raise
    after = answer.result().after
    if after is None:
        return response
    sent = await request.respond(response)
    await sent.send(end_stream=True)
    after()
    return None
