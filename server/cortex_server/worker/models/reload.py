"""Keeping up with new versions, in the background and off the request path."""

from collections.abc import Callable
from threading import Event, Thread
from time import monotonic

import structlog

from cortex_server.worker.models import errors
from cortex_server.worker.models.sources import Sources
from cortex_server.worker.models.store import Models
from cortex_server.worker.models.versions import Version
from cortex_server.worker.user_code import own_frames


class Reloader:
    """Looks at the places now and then, and brings models up to date.

    A new version of a model in memory is loaded beside the old one, which serves until
    then, and goes on serving when the new one cannot be loaded.
    """

    def __init__(
        self,
        models: Models,
        sources: Sources,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._models = models
        self._sources = sources
        self._clock = clock
        self._known = set(models.catalog.offered)
        self._told: dict[str, str] = {}

    def start(self, interval: float) -> None:
        """Look every so many seconds from now on, in a thread of its own."""
        args = (interval, Event())
        Thread(target=self._run, args=args, name="reload-models", daemon=True).start()

    def step(self) -> None:
        """Look once, and bring everything up to date."""
        models = self._models
        models.catalog.update(self._sources.look())
        self._tell_problems()
        self._forget_what_is_gone()
        for name in models.catalog.offered:
            self._bring_up_to_date(name)
        models.memory.shrink()
        models.count_held()

    def _run(self, interval: float, never: Event) -> None:
        while not never.wait(interval):
            try:
                self.step()
            except Exception as error:  # noqa: BLE001  # it must go on
                told = own_frames(error)
                structlog.get_logger().error("looking at models failed", exc_info=told)

    def _tell_problems(self) -> None:
        """Log each problem once, not at every look."""
        problems = dict(self._sources.problems)
        for address, reason in problems.items():
            if self._told.get(address) != reason:
                structlog.get_logger().error("models cannot be read", reason=reason)
        self._told = problems

    def _forget_what_is_gone(self) -> None:
        offered = self._models.catalog.offered
        self._models.failures.keep(offered)
        for version in self._models.memory.versions():
            if version.number not in offered.get(version.name, {}):
                self._models.memory.drop(version.key)
        self._known &= set(offered)

    def _bring_up_to_date(self, name: str) -> None:
        catalog = self._models.catalog
        loaded = {v.number: v for v in self._models.memory.versions() if v.name == name}
        self._replace_changed(name, loaded)
        latest, highest = catalog.latest(name), catalog.highest(name)
        is_new = name not in self._known
        self._known.add(name)
        if is_new and self._models.keeps_all:
            self._ready(highest)
        elif highest.number == latest.number or self._rests(highest):
            return
        elif latest.number not in loaded:
            catalog.move(highest)
        elif self._ready(highest):
            catalog.move(highest)
            self._models.memory.drop(latest.key)

    def _replace_changed(self, name: str, loaded: dict[int, Version]) -> None:
        """Load versions anew whose files are not those that were loaded."""
        offered = self._models.catalog.offered[name]
        for number, version in loaded.items():
            if version.fingerprint != offered[number].fingerprint:
                self._ready(offered[number])

    def _ready(self, version: Version) -> bool:
        if self._rests(version):
            return False
        try:
            self._models.ready(version)
        except errors.LoadError:
            return False
        return True

    def _rests(self, version: Version) -> bool:
        return self._models.failures.rests(version, self._clock())
