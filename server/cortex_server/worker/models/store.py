"""Models by name, as a predictor asks for them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import structlog

from cortex_server.worker.models import errors
from cortex_server.worker.models.catalog import LATEST, Catalog, Failures
from cortex_server.worker.models.counts import Counts
from cortex_server.worker.models.disk import Disk
from cortex_server.worker.models.holding import (
    holder_of_request,
)
from cortex_server.worker.models.memory import Entry, Holder, Limits, Memory
from cortex_server.worker.models.sources import Sources
from cortex_server.worker.models.versions import ListingError, Version
from cortex_server.worker.user_code import own_frames

LOADERS = 4
"""Threads that load for coroutines."""

Load = Callable[[Path, str, int], Any]
"""Makes a model of its files; is given their path, its name and its version."""


class Models:
    """The models of an API, given to a predictor as `models`.

    `get` blocks while a model is loaded; coroutines await `aget`. Either gives a model
    that stays in memory until the request is over.
    """

    def __init__(
        self,
        catalog: Catalog,
        memory: Memory,
        disk: Disk,
        sources: Sources,
        counts: Counts,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.catalog = catalog
        self.memory = memory
        self.disk = disk
        self.failures = Failures()
        self.counts = counts
        self._sources = sources
        self._clock = clock
        self._load: Load | None = None
        self._loaders = ThreadPoolExecutor(LOADERS, "load-model")

    @property
    def keeps_all(self) -> bool:
        """Whether every model may stay in memory."""
        return self.memory.limits == Limits()

    def load_with(self, load: Load) -> None:
        """Load models with this from now on."""
        self._load = load

    def get(self, name: str | None = None, version: int | str = LATEST) -> Any:  # noqa: ANN401  # the user's
        """A model, loaded first unless it is in memory.

        Args:
            name: Which; may be left out where there is only one.
            version: A whole number, or "latest".

        Raises:
            NotFound: There is no such model or version.
            LoadError: It cannot be loaded; the log says why.
        """
        holder = holder_of_request()
        wanted = self.catalog.find(name, version)
        if entry := self.memory.peek(wanted.key, holder):
            return entry.model
        if holder is not None and _is_on_loop():
            raise _must_wait(wanted)
        return self._get(wanted, version == LATEST, holder)

    async def aget(self, name: str | None = None, version: int | str = LATEST) -> Any:  # noqa: ANN401  # the user's
        """The same for coroutines: others go on while the model is loaded."""
        holder = holder_of_request()
        wanted = self.catalog.find(name, version)
        if entry := self.memory.peek(wanted.key, holder):
            return entry.model
        get = partial(self._get, wanted, version == LATEST, holder)
        run = partial(copy_context().run, get)
        return await asyncio.get_running_loop().run_in_executor(self._loaders, run)

    def snapshot(self) -> dict[str, Any]:
        """What there is and what is held, as plain data."""
        held = self.memory.versions()
        on_disk = self.disk.sizes()
        return {
            "models": [
                self._shown(name, [v.number for v in held if v.name == name])
                for name in sorted(self.catalog.offered)
            ],
            "memory": {"number": len(held), "bytes": sum(v.size for v in held)},
            "disk": {"number": len(on_disk), "bytes": sum(on_disk.values())},
            "counts": self.counts.snapshot(),
        }

    def _shown(self, name: str, in_memory: list[int]) -> dict[str, Any]:
        versions = self.catalog.offered[name]
        failed = [n for n, v in versions.items() if self.failures.reason(v)]
        return {
            "name": name,
            "versions": sorted(versions),
            "latest": self.catalog.latest(name).number,
            "in_memory": sorted(in_memory),
            "failed": sorted(failed),
        }

    def ready(self, version: Version) -> None:
        """Load a version in the background and only then serve it.

        Raises:
            LoadError: It cannot be loaded; what was served is served on.
        """
        self.memory.put(version, self._entry)
        self.failures.forget(version)
        self.count_held()

    def unload(self, name: str) -> None:
        """Free the memory of a model; who asks for it next has it loaded again."""
        for version in self.memory.versions():
            if version.name == name:
                self.memory.drop(version.key)
        self.count_held()

    def count_held(self) -> None:
        """Bring the metrics of what is held up to date."""
        self.counts.holds("memory", [v.size for v in self.memory.versions()])
        self.counts.holds("disk", list(self.disk.sizes().values()))

    def _get(self, wanted: Version, is_latest: bool, holder: Holder | None) -> Any:  # noqa: ANN401, FBT001  # the user's; private
        try:
            return self._from_memory(wanted, holder)
        except errors.LoadError:
            lower = self.catalog.below(wanted) if is_latest else None
            if lower is None:
                raise
            model = self._from_memory(lower, holder)
            self.catalog.move(lower)
            return model

    def _from_memory(self, version: Version, holder: Holder | None) -> Any:  # noqa: ANN401  # the user's
        model = self.memory.get(version, self._entry, holder)
        self.count_held()
        return model

    def _entry(self, version: Version) -> Entry:
        """Load a version, unless it failed a moment ago."""
        if self.failures.rests(version, self._clock()):
            raise _cannot(version)
        began = self._clock()
        try:
            entry = self._loaded(version)
        except BaseException as error:
            self._failed(version, error)
            if isinstance(error, Exception):
                raise _cannot(version) from error
            raise
        seconds = self._clock() - began
        self.counts.loaded(version, seconds)
        self.failures.forget(version)
        told = {"model": version.name, "version": version.number}
        structlog.get_logger().info("model loaded", **told, seconds=round(seconds, 3))
        return entry

    def _loaded(self, version: Version) -> Entry:
        if self._load is None:
            msg = "`models` can be used when `__init__` has returned"
            raise RuntimeError(msg)
        place = self._sources.place(version.name)
        path, release = place.local(version), None
        if path is None:
            kept = self.disk.keep(version, place)
            path, release = kept.path, kept.release
        try:
            model = self._load(path, version.name, version.number)
        except BaseException:
            if release:
                release()
            raise
        return Entry(version, model, release) if release else Entry(version, model)

    def _failed(self, version: Version, error: BaseException) -> None:
        self.counts.failed(version)
        is_ours = isinstance(error, ListingError)
        reason = str(error) if is_ours else f"{type(error).__name__}: {error}"
        self.failures.add(version, reason, self._clock())
        told: Any = {"model": version.name, "version": version.number}
        told |= {"reason": reason} if is_ours else {"exc_info": own_frames(error)}
        structlog.get_logger().error("model cannot be loaded", **told)


def _is_on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _cannot(version: Version) -> errors.LoadError:
    return errors.LoadError(f"{version} cannot be loaded; the log says why")


def _must_wait(version: Version) -> RuntimeError:
    return RuntimeError(
        f"{version} is not in memory, and loading it here would hold up every request;"
        " use `await models.aget(...)`, or call `models.get` in a thread"
    )
