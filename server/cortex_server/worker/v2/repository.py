"""The model repository extension of the protocol, for an API that declares models."""

from typing import Any

import orjson
from sanic.request import Request
from sanic.response import HTTPResponse

from cortex_server.worker.answer import Answer
from cortex_server.worker.exchange import call_of, response_of

_INDEX = "/repository/index"
_MODEL = "/repository/models/<model:str>"

PATHS = {_INDEX: "index", f"{_MODEL}/load": "load", f"{_MODEL}/unload": "unload"}
"""Where requests are sent to, and the function here that answers."""


async def index(request: Request) -> HTTPResponse:
    """All versions of all models, and whether each is in memory."""
    states = [
        _state(model, number)
        for model in await _ask(request)
        for number in model["versions"]
    ]
    if _wants_ready(request):
        states = [state for state in states if state["state"] == "READY"]
    return _json(request, states)


async def load(request: Request, model: str) -> HTTPResponse:
    """Take up the newest version of a model, and load it."""
    await _ask(request, "load", model)
    return _json(request, {})


async def unload(request: Request, model: str) -> HTTPResponse:
    """Free the memory of a model."""
    await _ask(request, "unload", model)
    return _json(request, {})


async def _ask(request: Request, what: str = "list", name: str = "") -> Any:  # noqa: ANN401  # plain data
    from cortex_server.worker.models.questions import asked  # noqa: PLC0415  # few need it

    return await asked(request.app.ctx.service.ask, what, name)


def _state(model: dict[str, Any], number: int) -> dict[str, str]:
    if number in model["in_memory"]:
        state, reason = "READY", ""
    elif number in model["failed"]:
        state, reason = "UNAVAILABLE", "it cannot be loaded; the log says why"
    else:
        state, reason = "UNAVAILABLE", "not in memory"
    named = {"name": model["name"], "version": str(number)}
    return {**named, "state": state, "reason": reason}


def _wants_ready(request: Request) -> bool:
    try:
        asked = orjson.loads(request.body or b"{}")
    except orjson.JSONDecodeError:
        return False
    return isinstance(asked, dict) and asked.get("ready") is True


def _json(request: Request, content: object) -> HTTPResponse:
    return response_of(Answer(orjson.dumps(content)), call_of(request))
