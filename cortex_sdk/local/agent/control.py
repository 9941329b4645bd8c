"""The agent's side of its socket: routes, and nothing that decides."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from sanic import HTTPResponse, Request, Sanic
from sanic.response import json as answer

from cortex_sdk._target import Progress
from cortex_sdk.errors import CortexError
from cortex_sdk.local.agent.agent import Agent
from cortex_sdk.local.agent.request import DeployRequest, Outcome, SplitRequest
from cortex_sdk.local.tasks import Tasks
from cortex_sdk.local.version import VERSION

_DAY = 86400
_LARGEST = 1 << 30
_log = logging.getLogger(__name__)

Event = dict[str, Any]
Work = Callable[[Progress], Awaitable[Outcome]]


class Control:
    """What clients may ask; see client.py for the other side."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._tasks = Tasks()

    def app(self) -> Sanic[Any, Any]:
        """The application that answers on the socket."""
        app: Sanic[Any, Any] = Sanic("cortex-agent", configure_logging=False)
        app.config.ACCESS_LOG = False
        app.config.RESPONSE_TIMEOUT = app.config.REQUEST_TIMEOUT = _DAY
        app.config.REQUEST_MAX_SIZE = _LARGEST
        app.add_route(self.about, "/")
        app.add_route(self.apis, "/apis")
        app.add_route(self.api, "/apis/<name>")
        app.add_route(self.history, "/apis/<name>/history")
        app.add_route(self.metrics, "/apis/<name>/metrics")
        app.add_route(self.deploy, "/deploy", methods=["POST"])
        app.add_route(self.split, "/splitters", methods=["POST"])
        app.add_route(self.roll_back, "/apis/<name>/rollback", methods=["POST"])
        app.add_route(self.delete, "/apis/<name>", methods=["DELETE"])
        app.add_route(self.stop, "/stop", methods=["POST"])
        app.add_route(self.leave, "/leave", methods=["POST"])
        app.error_handler.add(CortexError, _refuse)
        return app

    async def about(self, _: Request) -> HTTPResponse:
        """Who answers here."""
        python = sys.executable
        return answer({"version": VERSION, "pid": os.getpid(), "python": python})

    async def apis(self, _: Request) -> HTTPResponse:
        """All APIs."""
        return answer([status.as_dict() for status in self._agent.statuses()])

    async def api(self, _: Request, name: str) -> HTTPResponse:
        """One API."""
        return answer(self._agent.status(name).as_dict())

    async def history(self, _: Request, name: str) -> HTTPResponse:
        """Releases that served."""
        return answer([one.model_dump() for one in self._agent.history(name)])

    async def metrics(self, _: Request, name: str) -> HTTPResponse:
        """What each replica counted, as Prometheus text."""
        return answer(await self._agent.metrics(name))

    async def deploy(self, request: Request) -> None:
        """Bring an API into the state that the body asks for."""
        wanted = DeployRequest.model_validate_json(request.body)
        await self._relay(request, lambda say: self._agent.deploy(wanted, say))

    async def split(self, request: Request) -> None:
        """Bring a traffic splitter into the state that the body asks for."""
        wanted = SplitRequest.model_validate_json(request.body)
        await self._relay(request, lambda say: self._agent.split(wanted, say))

    async def roll_back(self, request: Request, name: str) -> None:
        """Make an earlier release serve again."""
        to = request.args.get("to")
        await self._relay(request, lambda say: self._agent.roll_back(name, to, say))

    async def delete(self, request: Request, name: str) -> None:
        """End an API."""
        await self._relay(request, lambda say: self._agent.delete(name, say))

    async def stop(self, request: Request) -> None:
        """End everything."""
        await self._relay(request, self._agent.stop)

    async def leave(self, _: Request) -> HTTPResponse:
        """Make room for another agent; replicas stay."""
        await self._agent.leave()
        return answer({})

    async def _relay(self, request: Request, work: Work) -> None:
        """Do the work whether or not the client stays to hear of it."""
        events: asyncio.Queue[Event] = asyncio.Queue()
        self._tasks.spawn(_report(work, events.put_nowait))
        response = await request.respond(content_type="application/x-ndjson")
        while True:
            event = await events.get()
            await response.send(json.dumps(event) + "\n")
            if event["event"] != "progress":
                return


async def _report(work: Work, tell: Callable[[Event], None]) -> None:
    try:
        outcome = await work(lambda text: tell({"event": "progress", "text": text}))
    except CortexError as error:
        tell(_failure(error))
    except Exception as error:  # noqa: BLE001  # a bug must not leave the client waiting
        _log.exception("a request failed")
        said = f"the agent failed ({type(error).__name__}: {error}); see its agent.log"
        tell({"event": "failed", "error": "TargetError", "message": said})
    else:
        tell({"event": "done", **outcome.model_dump()})


def _refuse(_: Request, error: CortexError) -> HTTPResponse:
    return answer(_failure(error), status=409)


def _failure(error: CortexError) -> Event:
    return {
        "event": "failed",
        "error": type(error).__name__,
        "message": str(error),
        "traceback": error.traceback,
    }
