"""One API: what should serve, what does, and the way from one to the other."""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from cortex_sdk._target import Progress, Status
from cortex_sdk.errors import DeployError, TargetError
from cortex_sdk.local.agent import tidy
from cortex_sdk.local.agent.keeper import Keeper
from cortex_sdk.local.agent.replica import Replica, StartError
from cortex_sdk.local.agent.state import ApiState, Reach, Release
from cortex_sdk.local.agent.status import View, status_of
from cortex_sdk.local.gateway.envoy import GatewayError
from cortex_sdk.local.gateway.xds import Route
from cortex_sdk.local.home import Home
from cortex_sdk.local.tasks import Tasks

_log = logging.getLogger(__name__)


class Api:
    """The replicas of one API, and its part of the gateway.

    Every step is written to disk before the next one needs it. The caller holds
    `lock` around `deploy` and `delete`.

    Args:
        home: Where its folder is.
        state: What is known of it.
        publish: Makes the gateway follow; raises GatewayError.
        changed: Asks for the same in the background.
    """

    def __init__(
        self,
        home: Home,
        state: ApiState,
        publish: Callable[[], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        self._home = home
        self._folder = home.api(state.name)
        self._publish = publish
        self._changed = changed
        self._retiring = Tasks()
        self._leaving: set[str] = set()
        self._starting: asyncio.Task[None] | None = None
        self._keeper: Keeper | None = None
        self._is_reachable = True
        self.state = state
        self.reach = state.reach
        """As the gateway should have it, ahead of the state while that changes."""
        self.lock = asyncio.Lock()
        self.is_gone = False
        self.claim = state.reach.endpoint
        """Endpoint that a deploy under way wants for it."""

    def route(self) -> Route | None:
        """Its part of the gateway, None for an API that never served."""
        if self._keeper is None or not self._is_reachable:
            return None
        replica = self._keeper.replica
        sockets = (replica.public,) if replica and replica.is_ready else ()
        return Route(
            self.state.name, self.reach.endpoint, sockets, self.reach.idempotent
        )

    @property
    def can_be_split(self) -> bool:
        """Whether it serves, or will again, and is not on its way out."""
        return self.state.current is not None and not self.state.deleting

    def replicas(self) -> list[Replica]:
        """Those that serve."""
        replica = self._keeper.replica if self._keeper else None
        return [replica] if replica else []

    def status(self, url: str, trouble: str) -> Status:
        """How it is doing, reached at `url`; `trouble` is the gateway's."""
        view = View(
            is_ready=self._keeper is not None and self._keeper.is_ready,
            trouble=trouble or (self._keeper.trouble if self._keeper else ""),
            is_stopped=self._home.stopped.exists(),
        )
        return status_of(self.state, view, url)

    async def adopt(self) -> None:
        """Find the replicas of an earlier agent, before the gateway is touched."""
        if self.state.current is None:
            return
        found = [
            Replica(self._home, self.state.name, record)
            for record in self.state.serving()
            if record.process.is_alive()
        ]
        for replica in found:
            await replica.look_again()
        found.sort(key=lambda replica: not replica.is_ready)
        self._keeper = self._keeper_of(self.state.current, found[0] if found else None)

    def revive(self) -> None:
        """Go on where an earlier agent stopped: start what is missing, end the rest."""
        if self.state.candidate is not None:
            self._note(self.state.failed("the agent was ended during the deploy"))
        self._retire_others()
        if self._keeper is not None and not self.state.deleting:
            self._keeper.keep()

    async def deploy(self, release: Release, reach: Reach, say: Progress) -> bool:
        """Make `release` serve; returns whether anything had to change.

        Raises:
            DeployError: It does not come up; what served before still does.
        """
        try:
            if await self._serves(release, say):
                return await self._reach_by(reach)
            self._save(self.state.began(release, reach))
            say("starting replica")
            candidate = await self._ready_replica(release)
            say("switching the gateway over")
            await self._switch(release, reach, candidate)
        except (StartError, GatewayError) as error:
            self._note(self.state.failed(str(error)))
            raise DeployError(str(error), error.traceback) from error
        except TargetError as error:
            self._note(self.state.failed(str(error)))
            raise
        return True

    async def delete(self, say: Progress) -> None:
        """End it without losing an accepted request, and forget it."""
        self._save(self.state.model_copy(update={"deleting": True}))
        say("taking the route out of the gateway")
        self._is_reachable = False
        with suppress(TargetError):  # a gateway that does not run leads nowhere
            await self._publish()
        say("waiting for accepted requests")
        await self.end()
        self.is_gone = True
        await asyncio.to_thread(shutil.rmtree, self._folder.root, ignore_errors=True)

    def abandon(self) -> None:
        """Give up the start of a replica that a deploy is waiting for."""
        if self._starting is not None:
            self._starting.cancel()

    async def end(self) -> None:
        """Drain all replicas; what should serve stays written down."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            await keeper.let_go()
        self._retire_others()
        await self._retiring.wait()

    async def _serves(self, release: Release, say: Progress) -> bool:
        """Whether a replica of it is ready, or is when it has finished starting."""
        current = self.state.current
        if current is None or current.revision != release.revision:
            return False
        if current.has_keys != release.has_keys:
            return False
        if self._keeper is None:
            return False
        if not self._keeper.is_settled:
            say("waiting for the replica that is starting")
            await self._unless_abandoned(self._keeper.settled())
        return self._keeper.is_ready

    async def _reach_by(self, reach: Reach) -> bool:
        before, self.reach = self.reach, reach
        changed = reach != before
        if changed:
            try:
                await self._publish()
            except GatewayError:
                self.reach = before
                self._changed()
                raise
        if changed or self.state.failure:
            self._save(self.state.reached_by(reach))
        return changed

    async def _ready_replica(self, release: Release) -> Replica:
        replica = self._start(release)
        try:
            await self._unless_abandoned(replica.until_ready())
        except StartError:
            await replica.end_now()
            self._forget(replica)
            raise
        return replica

    async def _unless_abandoned(self, work: Coroutine[Any, Any, None]) -> None:
        self._starting = asyncio.create_task(work)
        try:
            await self._starting
        except asyncio.CancelledError:
            msg = "the API was deleted or stopped while it was being deployed"
            raise StartError(msg) from None
        finally:
            self._starting = None

    async def _switch(self, release: Release, reach: Reach, candidate: Replica) -> None:
        old, old_reach = self._keeper, self.reach
        self._keeper, self.reach = self._keeper_of(release, candidate), reach
        try:
            await self._publish()
            self._save(self.state.came_through(release, reach))
        except TargetError:
            self._keeper, self.reach = old, old_reach
            self._changed()
            self._retire(candidate)
            raise
        self._keeper.keep()
        if old is not None:
            await old.let_go()
        self._retire_others()

    def _keeper_of(self, release: Release, replica: Replica | None) -> Keeper:
        return Keeper(
            lambda: self._start(release), self._retire, self._changed, replica
        )

    def _start(self, release: Release) -> Replica:
        replica = Replica.start(self._home, self.state.name, release)
        try:
            self._save(self.state.with_replica(replica.record))
        except TargetError as error:
            replica.process.kill()
            raise StartError(str(error)) from error
        return replica

    def _retire_others(self) -> None:
        """End every replica that does not serve."""
        kept = {replica.record.id for replica in self.replicas()}
        for record in self.state.replicas:
            if record.id not in kept | self._leaving:
                self._retire(Replica(self._home, self.state.name, record))

    def _retire(self, replica: Replica) -> None:
        """Drain in the background; the record stays until the process is gone."""
        self._leaving.add(replica.record.id)
        self._note(self.state.with_retiring(replica.record.id))

        async def drain() -> None:
            await replica.drain()
            self._forget(replica)

        self._retiring.spawn(drain())

    def _forget(self, replica: Replica) -> None:
        self._leaving.discard(replica.record.id)
        self._note(self.state.without_replica(replica.record.id))
        tidy.api_folder(self._folder, self.state)

    def _save(self, state: ApiState) -> None:
        if not self.is_gone:
            with self._home.writing():
                state.write(self._folder.state)
        self.state = state

    def _note(self, state: ApiState) -> None:
        """Save what has happened anyway; the next agent may have to find out itself."""
        try:
            self._save(state)
        except TargetError as error:
            _log.warning("%s", error)
            self.state = state
