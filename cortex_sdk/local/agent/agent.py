"""The agent: all APIs of one home, behind one gateway."""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from pydantic import ValidationError

from cortex_sdk._target import Progress, Status
from cortex_sdk.errors import DeployError, TargetError
from cortex_sdk.local.agent import launch, tidy
from cortex_sdk.local.agent.api import Api
from cortex_sdk.local.agent.request import DeployRequest, Outcome
from cortex_sdk.local.agent.state import ApiState, Reach, Release, missing, release_of
from cortex_sdk.local.agent.tasks import Tasks
from cortex_sdk.local.gateway.gateway import Gateway
from cortex_sdk.local.gateway.port import url
from cortex_sdk.local.gateway.xds import Route
from cortex_sdk.local.home import Home, write
from cortex_sdk.local.process import matching

_LEAVE = 30.0
_log = logging.getLogger(__name__)


class Agent:
    """Does what clients ask, one thing at a time for each API."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._apis: dict[str, Api] = {}
        self._unreadable: list[str] = []
        self._gateway = Gateway(home, launch.inherited(os.environ, home))
        self._changed = asyncio.Event()
        self._tasks = Tasks()
        self.done = asyncio.Event()
        """Set when there is nothing left to do here."""

    async def boot(self) -> None:
        """Take over what an earlier agent left behind, and start what is missing."""
        for path in sorted(self._home.apis.glob("*/api.json")):
            self._load(path.parent.name)
        await asyncio.gather(*(api.adopt() for api in self._apis.values()))
        await self._end_strangers()
        if not self._home.stopped.exists() and self._apis:
            await self._revive()
        self._tasks.spawn(self._follow())

    async def deploy(self, request: DeployRequest, say: Progress) -> Outcome:
        """Bring one API into the state that is asked for."""
        name, reach = request.manifest.name, request.reach
        await self._wake(request.gateway_port)
        release = release_of(
            request.manifest, request.python, has_secrets=bool(request.secrets)
        )
        async with self._held(name, reach, say) as api:
            self._store(request)
            changed = await api.deploy(release, reach, say)
        await self._tidy()
        return self._outcome(api, changed=changed)

    async def roll_back(self, name: str, to: str | None, say: Progress) -> Outcome:
        """Make an earlier release serve again."""
        api = self._api(name)
        await self._wake(None)
        async with api.lock:
            release = api.state.to_roll_back_to(to)
            if api.is_gone or release is None:
                which = f"revision {to!r}" if to else "earlier revision"
                msg = f"{name} has no {which} to roll back to; see its history"
                raise DeployError(msg)
            changed = await api.deploy(release, api.state.reach, say)
        return self._outcome(api, changed=changed)

    async def delete(self, name: str, say: Progress) -> Outcome:
        """End one API and forget it."""
        api = self._api(name)
        await self._wake(None)
        api.abandon()
        async with api.lock:
            if not api.is_gone:
                await api.delete(say)
                self._apis.pop(name, None)
        await self._tidy()
        return Outcome()

    async def stop(self, say: Progress) -> Outcome:
        """End everything, and remember what should serve."""
        self._home.stopped.touch()
        say("waiting for accepted requests")
        await asyncio.gather(*(self._end(api) for api in self._apis.values()))
        await self._gateway.close()
        self.done.set()
        return Outcome()

    async def leave(self) -> None:
        """Make room for another agent; what is under way gets a moment to finish."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE):
                for api in list(self._apis.values()):
                    async with api.lock:
                        """Nothing is under way."""
        self.done.set()

    def statuses(self) -> list[Status]:
        """All APIs, by name."""
        return [self._status(self._apis[name]) for name in sorted(self._apis)]

    def status(self, name: str) -> Status:
        """One API; raises NotFoundError."""
        return self._status(self._api(name))

    def history(self, name: str) -> list[Release]:
        """Releases that served, oldest first; raises NotFoundError."""
        return list(self._api(name).state.history)

    async def metrics(self, name: str) -> list[str]:
        """What each replica counted; raises NotFoundError."""
        replicas = self._api(name).replicas()
        return list(await asyncio.gather(*(one.metrics() for one in replicas)))

    def _load(self, name: str) -> None:
        try:
            state = ApiState.read(self._home.api(name).state)
        except (OSError, ValidationError):
            _log.exception("cannot read the state of %s, leaving it alone", name)
            self._unreadable.append(f"{self._home.api(name).root}{os.sep}")
            return
        self._apis[name] = self._new(state)

    def _new(self, state: ApiState) -> Api:
        return Api(self._home, state, self._publish, self._changed.set)

    def _api(self, name: str) -> Api:
        try:
            return self._apis[name]
        except KeyError:
            raise missing(name) from None

    async def _end_strangers(self) -> None:
        """End replicas that an earlier agent started but could not write down."""
        states = [api.state for api in self._apis.values()]
        known = [record for state in states for record in state.replicas]
        for process in matching(self._is_ours):
            if process.pid not in {record.pid for record in known}:
                _log.warning("ending unknown replica with pid %d", process.pid)
                process.kill()
                await process.gone()
        if not self._unreadable:
            tidy.run_folders(self._home, {record.id for record in known})

    def _is_ours(self, arguments: list[str]) -> bool:
        """Whether it is a replica of an API whose replicas are known."""
        sockets = f"unix:{self._home.run}{os.sep}"
        return (
            "cortex_server" in arguments
            and any(one.startswith(sockets) for one in arguments)
            and not any(one.startswith(tuple(self._unreadable)) for one in arguments)
        )

    async def _revive(self) -> None:
        try:
            await self._gateway.open()
            await self._publish()
        except TargetError as error:
            _log.warning("%s", error)
            self._gateway.keep()
        for api in list(self._apis.values()):
            api.revive()
            if api.state.deleting:
                self._tasks.spawn(self.delete(api.state.name, _log.info))

    async def _wake(self, port: int | None) -> None:
        """Have a gateway, and after a stop all APIs."""
        await self._gateway.open(port)
        if self._home.stopped.exists():
            self._home.stopped.unlink(missing_ok=True)
            await self._revive()

    async def _publish(self) -> None:
        await self._gateway.publish(self._routes)

    def _routes(self) -> list[Route]:
        routes = (api.route() for api in self._apis.values())
        return [route for route in routes if route is not None]

    async def _follow(self) -> None:
        """Publish whenever a replica came or went."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._publish()
            except (TargetError, OSError) as error:
                _log.warning("%s", error)

    @asynccontextmanager
    async def _held(self, name: str, reach: Reach, say: Progress) -> AsyncIterator[Api]:
        """The API of that name, a new one if need be, with nobody else at it."""
        self._check_endpoint(name, reach.endpoint)
        api = self._apis.get(name)
        if api is None:
            api = self._apis[name] = self._new(ApiState(name=name, reach=reach))
        if api.lock.locked():
            say("waiting for what is under way")
        async with api.lock:
            self._check_endpoint(name, reach.endpoint)
            if not api.is_gone:
                api.claim = reach.endpoint
                try:
                    yield api
                finally:
                    api.claim = api.state.reach.endpoint
                    if not self._home.api(name).state.exists():
                        self._apis.pop(name, None)
                return
        async with self._held(name, reach, say) as api:
            yield api

    def _check_endpoint(self, name: str, endpoint: str) -> None:
        for other in self._apis.values():
            taken = {other.state.reach.endpoint, other.claim}
            if other.state.name != name and endpoint in taken:
                msg = (
                    f"the endpoint {endpoint} belongs to the API {other.state.name!r};"
                    " choose another with networking.endpoint, or delete that API"
                )
                raise DeployError(msg)

    async def _tidy(self) -> None:
        states = [api.state for api in self._apis.values()]
        await asyncio.to_thread(tidy.shared, self._home, states)

    async def _end(self, api: Api) -> None:
        api.abandon()
        async with api.lock:
            await api.end()

    def _store(self, request: DeployRequest) -> None:
        manifest = request.manifest
        folder = self._home.api(manifest.name)
        with self._home.writing():
            write(
                folder.manifest(manifest.revision),
                manifest.model_dump_json(indent=2).encode(),
            )
            if request.secrets:
                content = json.dumps(request.secrets).encode()
                write(folder.secrets(manifest.revision), content)

    def _status(self, api: Api) -> Status:
        endpoint = url(self._gateway.port, api.state.reach.endpoint)
        return api.status(endpoint, self._gateway.trouble)

    def _outcome(self, api: Api, *, changed: bool) -> Outcome:
        status = self._status(api)
        return Outcome(
            endpoint=status.endpoint, revision=status.revision, changed=changed
        )
