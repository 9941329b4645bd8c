"""One replica: a process that serves one release, from its start to its end."""

import asyncio
import logging
import os
import secrets
import shutil
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import httpx

from cortex_sdk.local.agent import launch
from cortex_sdk.local.agent.state import Release, ReplicaRecord
from cortex_sdk.local.home import Home
from cortex_sdk.local.process import Process, last_words, matching
from cortex_server.manifest import Drain, Manifest, StartFailure

START_LIMIT = 1800.0
"""Seconds after which a replica that never becomes ready is given up."""

_STARTING, _WATCHING = 0.05, 1.0
_ANSWER = 5.0
_log = logging.getLogger(__name__)


class StartError(Exception):
    """A replica did not become ready.

    Attributes:
        traceback: The frames of the user's own code, "" where there are none.
    """

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback


class Readiness(StrEnum):
    """What a replica says of itself."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    FAILED = "failed"
    SILENT = "silent"
    """It does not answer, which is no reason to stop trusting it."""


class Replica:
    """A replica that was started, by this agent or an earlier one."""

    def __init__(self, home: Home, api: str, record: ReplicaRecord) -> None:
        self._home = home
        self._api = api
        self._run = home.replica(record.id)
        self.record = record
        self.process = record.process
        self.is_ready = False
        transport = httpx.AsyncHTTPTransport(uds=str(self._run.admin))
        self._admin = httpx.AsyncClient(
            transport=transport, base_url="http://replica", timeout=_ANSWER
        )

    @classmethod
    def start(cls, home: Home, api: str, release: Release) -> "Replica":
        """Start a replica of a release; returns when it has a process.

        Raises:
            StartError: It could not even be started.
        """
        name = f"{release.revision[:6]}-{secrets.token_hex(3)}"
        run = home.replica(name)
        try:
            run.root.mkdir(mode=0o700, parents=True)
            home.api(api).logs.mkdir(parents=True, exist_ok=True)
            process = Process.spawn(
                launch.command(home, api, release, name),
                launch.inherited(os.environ, home),
                run.boot_log,
            )
        except OSError as error:
            shutil.rmtree(run.root, ignore_errors=True)
            what = error.filename or release.python
            msg = f"cannot start a replica ({what}: {error.strerror}); deploy it again"
            raise StartError(msg) from error
        record = ReplicaRecord(
            id=name,
            revision=release.revision,
            pid=process.pid,
            started=process.started,
        )
        replica = cls(home, api, record)
        replica.process = process
        return replica

    @property
    def public(self) -> Path:
        """Socket that answers predictions."""
        return self._run.public

    async def until_ready(self, limit: float = START_LIMIT) -> None:
        """Return when it is ready.

        Raises:
            StartError: It ended instead, or took too long and was ended.
        """
        deadline = time.monotonic() + limit
        while not await self.look():
            if not self.process.is_alive():
                raise self._failure()
            if time.monotonic() > deadline:
                await self.end_now()
                msg = f"the replica was not ready after {limit / 60:g} minutes"
                raise StartError(msg)
            await asyncio.sleep(_STARTING)

    async def watch(self, changed: Callable[[], None]) -> None:
        """Return when it has ended; calls `changed` when its readiness changes."""
        gone = asyncio.ensure_future(self.process.gone())
        try:
            while not gone.done():
                was_ready = self.is_ready
                if await self.look() != was_ready:
                    changed()
                await asyncio.wait({gone}, timeout=_WATCHING)
        finally:
            gone.cancel()
        self.is_ready = False
        changed()

    async def look(self) -> bool:
        """Ask whether it is ready; no answer leaves the matter as it was."""
        readiness = await self._readiness()
        if readiness is not Readiness.SILENT:
            self.is_ready = readiness is Readiness.READY
        return self.is_ready

    async def look_again(self) -> bool:
        """Ask one that an earlier agent started: it was ready unless it says no."""
        self.is_ready = self._run.admin.exists()
        return await self.look()

    async def metrics(self) -> str:
        """What it counted, as Prometheus text; "" if it does not answer."""
        try:
            return (await self._admin.get("/metrics")).raise_for_status().text
        except httpx.HTTPError:
            return ""

    async def drain(self) -> None:
        """End it when it has answered what it accepted, by force when it is late.

        One that drains already is not told again.
        """
        if await self._readiness() is not Readiness.DRAINING:
            self.process.terminate()
        try:
            async with asyncio.timeout(self._drain_seconds()):
                await self.process.gone()
                for worker in self._workers():
                    await worker.gone()
        except TimeoutError:
            _log.warning("replica %s did not drain in time", self.record.id)
        await self.end_now()

    async def end_now(self) -> None:
        """End it by force, and remove what it leaves behind."""
        self.process.kill()
        await self.process.gone()
        for worker in self._workers():
            worker.kill()
        await self._admin.aclose()
        shutil.rmtree(self._run.root, ignore_errors=True)

    def _workers(self) -> list[Process]:
        """Workers that outlive their supervisor: they end what they have begun."""
        listens = f"unix:{self._run.public}"
        return matching(lambda arguments: listens in arguments)

    async def _readiness(self) -> Readiness:
        try:
            answer = (await self._admin.get("/readyz")).json()
            return Readiness(answer["status"])
        except (httpx.HTTPError, ValueError, KeyError):
            return Readiness.SILENT

    def _drain_seconds(self) -> float:
        try:
            path = self._home.api(self._api).manifest(self.record.revision)
            return Manifest.read(path).drain(launch.WITHDRAW).total
        except (OSError, ValueError):
            return Drain(withdraw=0, requests=0, hooks=0).total  # nothing is known

    def _failure(self) -> StartError:
        try:
            failure = StartFailure.read(self._run.failure)
            return StartError(failure.message, failure.traceback)
        except (OSError, ValueError):
            words = last_words(self._run.boot_log)
            return StartError(f"the replica {self.process.ending()}{words}")
