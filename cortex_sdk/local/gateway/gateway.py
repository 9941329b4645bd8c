"""The gateway: an Envoy that is kept running and kept in step with the APIs."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

import httpx

from cortex_sdk.errors import TargetError
from cortex_sdk.local.backoff import Backoff
from cortex_sdk.local.gateway import envoy
from cortex_sdk.local.gateway.envoy import Envoy, GatewayError
from cortex_sdk.local.gateway.files import Files
from cortex_sdk.local.gateway.port import check_free
from cortex_sdk.local.gateway.routing import Table
from cortex_sdk.local.gateway.state import GatewayState
from cortex_sdk.local.gateway.xds import Route
from cortex_sdk.local.home import Home
from cortex_sdk.local.tasks import Tasks

_START, _FOLLOW = 20.0, 10.0
_CHECK = 10.0
_log = logging.getLogger(__name__)


class Gateway:
    """Starts, finds, watches and reconfigures the one Envoy of a home.

    Args:
        home: Where its files are.
        environment: What Envoy gets to see.
    """

    def __init__(self, home: Home, environment: Mapping[str, str]) -> None:
        self._home = home
        self._files = Files(home)
        self._environment = environment
        self._envoy: Envoy | None = None
        self._tasks = Tasks()
        self._keeping: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._publishing = asyncio.Lock()
        self.port = GatewayState.read(home).port
        self.trouble = ""
        """Why nothing listens, "" while something does."""

    async def open(self, port: int | None = None) -> None:
        """Listen on `port`, or where it did before; returns when it does.

        Raises:
            TargetError: It cannot; the message says why.
        """
        async with self._starting:
            wanted = port or self.port
            if self._envoy is None:
                await self._adopt()
            if self._envoy is None or not self._envoy.process.is_alive():
                await self._start(wanted)
            elif wanted != self.port:
                await self._move(self._envoy, wanted)
        self.keep()

    def keep(self) -> None:
        """Have Envoy run from now on, also where it cannot be started right now."""
        if self._keeping is None:
            self._keeping = self._tasks.spawn(self._keep())

    async def publish(self, wanted: Callable[[], Table]) -> None:
        """Make the gateway follow what is wanted; returns when it does.

        Clusters come before the routes that lead to them, and go after. What is on
        disk is right even when nobody follows: an Envoy that starts reads it.

        Raises:
            GatewayError: It does not follow.
        """
        async with self._publishing:
            table = wanted()
            routes = table.apis
            names = {route.name for route in routes}
            gone = self._files.clusters() - names
            for route in routes:
                self._files.write_endpoints(route)
            self._files.write_clusters(names | gone)
            try:
                await self._follows(lambda running: _sends_to(running, routes))
            finally:
                version = self._files.write_routes(table)
            await self._follows(lambda running: _leads_by(running, version))
            self._files.write_clusters(names)
            for name in gone:
                self._files.remove_endpoints(name)

    async def close(self) -> None:
        """End Envoy."""
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None
        if self._envoy is None:
            await self._adopt()
        if self._envoy is not None:
            self._envoy.process.terminate()
            await self._envoy.process.gone()
            await self._envoy.close()
            self._envoy = None

    async def _adopt(self) -> None:
        """Take over the Envoy of an earlier agent; end any that nobody knows."""
        known = GatewayState.read(self._home).process
        for found in envoy.running(self._files.bootstrap):
            if found == known:
                self._envoy = Envoy(found, self._home.gateway_socket)
            else:
                found.kill()
                await found.gone()

    async def _start(self, port: int) -> None:
        try:
            check_free(port)
            with self._home.writing():
                self._files.prepare(port)
            bootstrap = self._files.bootstrap
            self._envoy = Envoy.start(self._home, bootstrap, self._environment)
            with self._home.writing():
                self._remember(self._envoy, port)
            await self._listens(self._envoy)
        except TargetError as error:
            if self._envoy is not None:
                self._envoy.process.kill()
                self._envoy = None
            self.trouble = self._sentence(error)
            raise TargetError(self.trouble) from error
        self.trouble = ""

    async def _move(self, running: Envoy, port: int) -> None:
        check_free(port)
        with self._home.writing():
            self._files.listen(port)
            try:
                await self._listens(running)
            except GatewayError as error:
                self._files.listen(self.port)
                raise TargetError(self._sentence(error)) from error
            self._remember(running, port)

    async def _keep(self) -> None:
        """Start Envoy again whenever it ends."""
        backoff, since = Backoff(), time.monotonic()
        while True:
            if self._envoy is not None:
                await self._watch(self._envoy)
                self.trouble = f"the gateway {self._envoy.process.ending()}"
                _log.warning("%s", self.trouble)
            await asyncio.sleep(backoff.after(time.monotonic() - since))
            since = time.monotonic()
            with suppress(TargetError):  # `trouble` says it
                await self.open()

    async def _watch(self, running: Envoy) -> None:
        gone = asyncio.ensure_future(running.process.gone())
        while not gone.done():
            await asyncio.wait({gone}, timeout=_CHECK)
            with suppress(OSError, httpx.HTTPError):
                await running.rotate_log(self._home)

    async def _listens(self, running: Envoy) -> None:
        name, version = self._files.listener()

        async def listens() -> bool:
            return await running.listener(name) == version

        await running.until(listens, _START)

    async def _follows(self, check: Callable[[Envoy], Awaitable[bool]]) -> None:
        if self._envoy is None:
            raise GatewayError(self.trouble or "the gateway does not run")
        running = self._envoy
        await running.until(lambda: check(running), _FOLLOW)

    def _remember(self, running: Envoy, port: int) -> None:
        process = running.process
        state = GatewayState(port=port, pid=process.pid, started=process.started)
        state.write(self._home)
        self.port = port

    def _sentence(self, error: Exception) -> str:
        if not isinstance(error, GatewayError):
            return str(error)
        log = envoy.log_of(self._home)
        return f"the gateway cannot listen ({error}); {log} may say more"


async def _sends_to(running: Envoy, routes: Sequence[Route]) -> bool:
    hosts = await running.hosts()
    wanted = {route.name: {str(path) for path in route.sockets} for route in routes}
    return {name: hosts.get(name) for name in wanted} == wanted


async def _leads_by(running: Envoy, version: str) -> bool:
    return await running.routes_version() == version
