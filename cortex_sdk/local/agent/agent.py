"""The agent: what clients can have done, and the gateway kept in step with it."""

import asyncio
import json
import logging
import os
from contextlib import suppress

from cortex_sdk._target import Progress, Status
from cortex_sdk._traffic import in_use
from cortex_sdk.errors import DeployError, TargetError
from cortex_sdk.local.agent import launch, tidy
from cortex_sdk.local.agent.api import Api
from cortex_sdk.local.agent.apis import Apis
from cortex_sdk.local.agent.request import DeployRequest, Outcome, SplitRequest
from cortex_sdk.local.agent.splitters import Splitters
from cortex_sdk.local.agent.state import ApiState, Release, release_of
from cortex_sdk.local.agent.status import status_of_split
from cortex_sdk.local.gateway.envoy import GatewayError
from cortex_sdk.local.gateway.gateway import Gateway
from cortex_sdk.local.gateway.port import url
from cortex_sdk.local.gateway.routing import Table
from cortex_sdk.local.gateway.split import Split
from cortex_sdk.local.home import Home, write
from cortex_sdk.local.process import matching
from cortex_sdk.local.tasks import Tasks

_LEAVE = 30.0
_log = logging.getLogger(__name__)


class Agent:
    """Does what clients ask, one thing at a time for each API."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._changed = asyncio.Event()
        self._apis = Apis(home, self._new, lambda: self._splitters)
        self._splitters = Splitters(home, self._apis, self._publish, self._changed.set)
        self._gateway = Gateway(home, launch.inherited(os.environ, home))
        self._tasks = Tasks()
        self.done = asyncio.Event()
        """Set when there is nothing left to do here."""

    async def boot(self) -> None:
        """Take over what an earlier agent left behind, and start what is missing."""
        self._apis.load()
        self._splitters.load()
        await asyncio.gather(*(api.adopt() for api in self._apis))
        await self._end_strangers()
        if not self._home.stopped.exists() and list(self._apis):
            await self._revive()
        self._tasks.spawn(self._follow())

    async def deploy(self, request: DeployRequest, say: Progress) -> Outcome:
        """Bring one API into the state that is asked for."""
        await self._wake(request.gateway_port)
        manifest = request.manifest
        release = release_of(
            manifest,
            request.python,
            has_secrets=bool(request.secrets),
            has_keys=request.keys is not None,
        )
        async with self._apis.held(manifest.name, request.reach, say) as api:
            self._store(request)
            changed = self._store_keys(request)
            changed |= await api.deploy(release, request.reach, say)
        self._tasks.spawn(self._tidy())
        return self._outcome(api, changed=changed)

    async def roll_back(self, name: str, to: str | None, say: Progress) -> Outcome:
        """Make an earlier release serve again."""
        api = self._apis.get(name)
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
        """End one API or splitter and forget it."""
        if self._splitters.get(name) is not None:
            return await self._delete_splitter(name, say)
        api = self._apis.get(name)
        self._check_unused(name)
        with suppress(TargetError):  # a gateway that does not run leads nowhere
            await self._wake(None)
        api.abandon()
        async with api.lock:
            self._check_unused(name)
            if not api.is_gone:
                await api.delete(say)
                self._apis.forget(name)
        self._tasks.spawn(self._tidy())
        return Outcome()

    async def split(self, request: SplitRequest, say: Progress) -> Outcome:
        """Bring one traffic splitter into the state that is asked for."""
        await self._wake(request.gateway_port)
        split = request.split
        changed = await self._splitters.deploy(split, say)
        return Outcome(
            endpoint=url(self._gateway.port, split.endpoint),
            revision=split.revision,
            changed=changed,
        )

    async def _delete_splitter(self, name: str, say: Progress) -> Outcome:
        with suppress(TargetError):  # a gateway that does not run leads nowhere
            await self._wake(None)
        say("taking the route out of the gateway")
        await self._splitters.delete(name)
        return Outcome()

    async def stop(self, say: Progress) -> Outcome:
        """End everything, and remember what should serve."""
        self._home.stopped.touch()
        say("waiting for accepted requests")
        await asyncio.gather(*(self._end(api) for api in self._apis))
        await self._gateway.close()
        self.done.set()
        return Outcome()

    async def leave(self) -> None:
        """Make room for another agent; what is under way gets a moment to finish."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE):
                for api in self._apis:
                    async with api.lock:
                        """Nothing is under way."""
        self.done.set()

    def statuses(self) -> list[Status]:
        """All APIs and splitters, by name."""
        apis = [self._status(api) for api in self._apis]
        splits = [self._status_of_split(split) for split in self._splitters]
        return sorted([*apis, *splits], key=lambda status: status.name)

    def status(self, name: str) -> Status:
        """One API or splitter; raises NotFoundError."""
        split = self._splitters.get(name)
        if split is not None:
            return self._status_of_split(split)
        return self._status(self._apis.get(name))

    def history(self, name: str) -> list[Release]:
        """Releases that served, oldest first; raises NotFoundError."""
        return list(self._apis.get(name).state.history)

    async def metrics(self, name: str) -> list[str]:
        """What each replica counted; raises NotFoundError."""
        replicas = self._apis.get(name).replicas()
        return list(await asyncio.gather(*(one.metrics() for one in replicas)))

    def _check_unused(self, api: str) -> None:
        if users := self._splitters.users_of(api):
            raise in_use(api, users)

    def _new(self, state: ApiState) -> Api:
        return Api(self._home, state, self._publish, self._changed.set)

    async def _end_strangers(self) -> None:
        """End replicas that an earlier agent started but could not write down."""
        known = [record for api in self._apis for record in api.state.replicas]
        for process in matching(self._apis.is_ours):
            if process.pid not in {record.pid for record in known}:
                _log.warning("ending unknown replica with pid %d", process.pid)
                process.kill()
                await process.gone()
        if not self._apis.unreadable:
            tidy.run_folders(self._home, {record.id for record in known})

    async def _wake(self, port: int | None) -> None:
        """Have a gateway, and after a stop all APIs."""
        await self._gateway.open(port)
        if self._home.stopped.exists():
            self._home.stopped.unlink(missing_ok=True)
            await self._revive()

    async def _revive(self) -> None:
        """Start what should serve, once the gateway follows what does."""
        try:
            await self._gateway.open()
            await self._publish()
        except TargetError as error:
            _log.warning("%s", error)
            self._gateway.keep()
        for api in self._apis:
            api.revive()
            if api.state.deleting:
                self._tasks.spawn(self.delete(api.state.name, _log.info))

    async def _publish(self) -> None:
        """Have the gateway follow, if need be one that has to be started first."""
        try:
            await self._gateway.publish(self._table)
        except GatewayError:
            await self._gateway.open()
            await self._gateway.publish(self._table)

    def _table(self) -> Table:
        return Table(tuple(self._apis.routes()), tuple(self._splitters))

    async def _follow(self) -> None:
        """Publish whenever a replica came or went."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._gateway.publish(self._table)
            except (TargetError, OSError) as error:
                _log.warning("%s", error)

    async def _end(self, api: Api) -> None:
        api.abandon()
        async with api.lock:
            await api.end()

    async def _tidy(self) -> None:
        states = [api.state for api in self._apis]
        await asyncio.to_thread(tidy.shared, self._home, states)

    def _store(self, request: DeployRequest) -> None:
        """Write what a replica will be told."""
        manifest = request.manifest
        folder = self._home.api(manifest.name)
        content = manifest.json(indent=2)
        with self._home.writing():
            write(folder.manifest(manifest.revision), content)
            if request.secrets:
                secrets = json.dumps(request.secrets).encode()
                write(folder.secrets(manifest.revision), secrets)

    def _store_keys(self, request: DeployRequest) -> bool:
        """Write the API keys, which replicas follow at once; whether they changed."""
        path = self._home.api(request.manifest.name).keys
        if request.keys is None:
            return False  # those that need the file may still run
        content = "".join(f"{key}\n" for key in request.keys).encode()
        with self._home.writing():
            if path.exists() and path.read_bytes() == content:
                return False
            write(path, content)
        return True

    def _status(self, api: Api) -> Status:
        endpoint = url(self._gateway.port, api.state.reach.endpoint)
        return api.status(endpoint, self._gateway.trouble)

    def _status_of_split(self, split: Split) -> Status:
        apis = {api.state.name: self._status(api) for api in self._apis}
        endpoint = url(self._gateway.port, split.endpoint)
        is_stopped = self._home.stopped.exists()
        return status_of_split(split, apis, endpoint, is_stopped=is_stopped)

    def _outcome(self, api: Api, *, changed: bool) -> Outcome:
        status = self._status(api)
        return Outcome(
            endpoint=status.endpoint, revision=status.revision, changed=changed
        )
