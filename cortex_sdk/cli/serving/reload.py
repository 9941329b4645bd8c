"""`cortex serve --reload`: a new replica for each change of the project.

The old replica serves until the new one is ready, and goes on when the new one does
not come up.
"""

import asyncio
import shutil
from asyncio import Future, Task
from asyncio.subprocess import Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchfiles import awatch

from cortex_sdk._serve import Parts, fingerprint
from cortex_sdk.cli import FAILED, console
from cortex_sdk.cli.serving.address import socket_accepts
from cortex_sdk.cli.serving.children import Children, prepared
from cortex_sdk.cli.serving.foreground import Settings, announce, first, say_failure
from cortex_sdk.cli.serving.forwarder import Forwarder

_QUIET = 100
"""Milliseconds without a change after which an editor is taken to have finished."""


@dataclass(frozen=True, slots=True)
class _Replica:
    parts: Parts
    process: Process
    ended: "Future[int]"


class Reload:
    """Looking for changes, and letting a new replica take over from the old one."""

    def __init__(self, settings: Settings, folder: Path, children: Children) -> None:
        self._settings = settings
        self._folder = folder
        self._children = children
        self._public = Forwarder(settings.public)
        self._admin = Forwarder(settings.admin) if settings.admin else None
        self._count = 0
        self._retiring: set[Task[None]] = set()

    async def run(self) -> int:
        """Serve until the replica ends or a signal comes; its exit code."""
        serving = await self._start(None)
        if serving is None:
            ending = self._children.ending.is_set()
            return self._children.exit_code if ending else FAILED
        announce(serving.parts, self._settings.public)
        console.say(f"watching {serving.parts.project} for changes", style="dim")
        serving = await self._watch(serving)
        self._public.close()
        code = await serving.ended
        await asyncio.gather(*self._retiring)
        return code

    async def _watch(self, serving: _Replica) -> _Replica:
        """Replace the replica whenever the project changes; returns the last one."""
        changes = _Changes(serving.parts)
        ending = asyncio.ensure_future(self._children.ending.wait())
        change = asyncio.ensure_future(changes.next())
        attempt: Task[_Replica | None] | None = None
        while not (ending.done() or serving.ended.done()):
            await _any_of(ending, serving.ended, change, attempt)
            if attempt is not None and attempt.done():
                serving = attempt.result() or serving
                attempt = None
            if change.done():
                await _cancel(attempt)  # it would be out of date before it serves
                attempt = asyncio.ensure_future(self._start(serving))
                change = asyncio.ensure_future(changes.next())
        await _cancel(change, attempt, changes.waiting)
        return serving

    async def _start(self, old: _Replica | None) -> _Replica | None:
        """Start the project as it is now; it takes over when it is ready.

        Returns None when it does not come up, or is what serves already.
        """
        self._count += 1
        folder = self._folder / str(self._count)
        key = self._folder / "key"
        if await prepared(self._children, self._settings.app, folder, key):
            self._stay_with(old)
            return None
        parts = Parts.read(folder)
        if old is not None and parts.revision == old.parts.revision:
            return None
        replica = await self._launch(parts)
        if replica is None:
            say_failure(parts, self._settings)
            self._stay_with(old)
            return None
        await self._exchange(old, replica)
        return replica

    async def _launch(self, parts: Parts) -> _Replica | None:
        admin = f"unix:{parts.admin_socket}"
        arguments = self._settings.arguments(parts, admin, self._children)
        command = parts.command("--listen", f"unix:{parts.public_socket}", *arguments)
        process = await self._children.start(command)
        ended = asyncio.ensure_future(self._children.wait(process))
        try:
            ready = await first(ended, socket_accepts(parts.public_socket))
        except asyncio.CancelledError:
            await self._children.abort(process)
            raise
        return _Replica(parts, process, ended) if ready else None

    async def _exchange(self, old: _Replica | None, new: _Replica) -> None:
        await self._public.lead_to(new.parts.public_socket)
        if self._admin is not None:
            await self._admin.lead_to(new.parts.admin_socket)
        if old is not None:
            console.say_done(f"{new.parts.name} is reloaded ({new.parts.revision})")
            self._children.retire(old.process)
            self._retiring.add(asyncio.ensure_future(_clean_up(old)))

    def _stay_with(self, old: _Replica | None) -> None:
        if old is not None and not self._children.ending.is_set():
            still = f"{old.parts.name} serves on as it was ({old.parts.revision})"
            console.say(still, style="yellow")


class _Changes:
    """Tells when what goes along differs from what was packed last."""

    def __init__(self, parts: Parts) -> None:
        self._project = parts.project
        self._seen = parts.fingerprint
        self._events = awatch(
            parts.project, watch_filter=None, step=_QUIET, ignore_permission_denied=True
        )
        self.waiting = asyncio.ensure_future(anext(self._events))

    async def next(self) -> None:
        """Wait for a change of something that goes along."""
        await asyncio.sleep(0)  # from here on the kernel notes changes
        while (now := fingerprint(self._project)) == self._seen:
            await asyncio.wait({self.waiting})
            self.waiting = asyncio.ensure_future(anext(self._events))
        self._seen = now


async def _clean_up(old: _Replica) -> None:
    await old.ended
    shutil.rmtree(old.parts.folder, ignore_errors=True)


async def _any_of(*futures: "Future[Any] | None") -> None:
    present = [future for future in futures if future is not None]
    await asyncio.wait(present, return_when=asyncio.FIRST_COMPLETED)


async def _cancel(*futures: "Future[Any] | None") -> None:
    for future in futures:
        if future is not None and not future.done():
            future.cancel()
            await asyncio.wait({future})
