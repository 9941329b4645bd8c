"""Models in memory: each loaded once, the least recently used given up first."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition
from time import monotonic
from typing import Any

from cortex_server.worker.models import errors
from cortex_server.worker.models.versions import Version

WAIT = 10.0
"""Seconds that a request waits for room when all models in memory are in use."""

Key = tuple[str, int]


def _nothing() -> None:
    pass


@dataclass(slots=True, eq=False)
class Entry:
    """A model in memory."""

    version: Version
    model: Any
    release: Callable[[], None] = _nothing
    """Called when it is not in memory any more."""
    users: int = 0


Loader = Callable[[Version], Entry]


@dataclass(slots=True, eq=False)
class Holder:
    """What one request uses: none of it is given up before the request is over."""

    entries: list[Entry] = field(default_factory=list)
    is_over: bool = False

    def hold(self, entry: Entry) -> None:
        """The request uses it."""
        if not self.is_over and entry not in self.entries:
            entry.users += 1
            self.entries.append(entry)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be held, None for any amount."""

    number: int | None = None
    size: int | None = None

    def allow(self, number: int, size: int) -> bool:
        """Whether so many models of so many bytes may be held."""
        return (self.number is None or number <= self.number) and (
            self.size is None or size <= self.size
        )

    def __str__(self) -> str:
        """The limits as the declaration names them."""
        named = {"cache_size": self.number, "cache_bytes": self.size}
        return " and ".join(f"{k}={v}" for k, v in named.items() if v is not None)


@dataclass(slots=True, eq=False)
class _Load:
    """A load that is under way."""

    version: Version
    error: BaseException | None = None
    is_over: bool = False


class Memory:
    """The models in memory; may be used by several threads.

    Args:
        limits: How many models and bytes; a model counts as many as its files have.
        evicted: Called for each model that is given up to make room for another.
        clock: Seconds that only ever grow.
    """

    def __init__(
        self,
        limits: Limits,
        evicted: Callable[[Version], None] = lambda _version: None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.limits = limits
        self._evicted = evicted
        self._clock = clock
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._loads: dict[Key, _Load] = {}
        self._changed = Condition()

    def get(
        self, version: Version, loader: Loader, holder: Holder | None = None
    ) -> Any:  # noqa: ANN401  # the user's
        """The model of a version, loaded unless it is here.

        Whoever asks while it is being loaded waits for that load, and shares its error.

        Raises:
            LoadError: It is larger than the limits allow.
            ServiceUnavailable: All models in memory are in use.
        """
        gone: list[Entry] = []
        claim: Entry | _Load | None = None
        try:
            with self._changed:
                mine = _Load(version)
                claim = self._claim(mine, holder, gone)
        finally:
            self._dispose(gone)
        if isinstance(claim, Entry):
            return claim.model
        if claim is mine:
            return self._load(mine, loader, holder).model
        return self._follow(claim, loader, holder)

    def peek(self, key: Key, holder: Holder | None = None) -> Entry | None:
        """The entry of a model if it is here; never waits for a load."""
        with self._changed:
            return self._found(key, holder)

    def put(self, version: Version, loader: Loader) -> None:
        """Load a version beside what is here, and only then put it in its place.

        For a moment there is one model more than the limits allow: what is served
        must not go before its successor has come.
        """
        entry = loader(version)
        with self._changed:
            gone = self._place(entry)
        self._dispose(gone)

    def drop(self, key: Key) -> bool:
        """Forget a model; requests that use it keep it until they are over."""
        with self._changed:
            entry = self._entries.pop(key, None)
            gone = [entry] if entry and not entry.users else []
            self._changed.notify_all()
        self._dispose(gone)
        return entry is not None

    def shrink(self) -> None:
        """Give up what is above the limits and not in use."""
        gone: list[Entry] = []
        with self._changed:
            self._make_room(0, 0, gone)
        self._dispose(gone)

    def versions(self) -> list[Version]:
        """What is in memory, the least recently used first."""
        with self._changed:
            return [entry.version for entry in self._entries.values()]

    def let_go(self, holder: Holder) -> None:
        """A request is over."""
        with self._changed:
            holder.is_over = True
            for entry in holder.entries:
                entry.users -= 1
            gone = [entry for entry in holder.entries if self._is_forgotten(entry)]
            holder.entries.clear()
            self._changed.notify_all()
        self._dispose(gone)

    def _claim(
        self, mine: _Load, holder: Holder | None, gone: list[Entry]
    ) -> Entry | _Load:
        """What is here, a load of somebody else, or `mine` once there is room."""
        version, until = mine.version, self._clock() + WAIT
        if not self.limits.allow(1, version.size):
            msg = f"{version} has {version.size} bytes, more than {self.limits}"
            raise errors.LoadError(msg)
        while True:
            key = version.key
            there = self._found(key, holder) or self._loads.get(key)
            if there is not None:
                return there
            if self._make_room(1, version.size, gone):
                self._loads[key] = mine
                return mine
            if self._waits_for_itself(holder) or self._clock() >= until:
                raise errors.all_in_use(str(self.limits))
            self._changed.wait(until - self._clock())

    def _found(self, key: Key, holder: Holder | None) -> Entry | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
            if holder is not None:
                holder.hold(entry)
        return entry

    def _follow(self, load: _Load, loader: Loader, holder: Holder | None) -> Any:  # noqa: ANN401  # the user's
        with self._changed:
            self._changed.wait_for(lambda: load.is_over)
        if load.error is not None:
            raise load.error
        return self.get(load.version, loader, holder)

    def _load(self, mine: _Load, loader: Loader, holder: Holder | None) -> Entry:
        gone: list[Entry] = []
        entry = None
        try:
            entry = loader(mine.version)
        except BaseException as error:
            mine.error = error
            raise
        finally:
            with self._changed:
                if entry is not None:
                    gone = self._place(entry)
                    if holder is not None:
                        holder.hold(entry)
                mine.is_over = True
                del self._loads[mine.version.key]
                self._changed.notify_all()
            self._dispose(gone)
        return entry

    def _place(self, entry: Entry) -> list[Entry]:
        before = self._entries.pop(entry.version.key, None)
        self._entries[entry.version.key] = entry
        return [before] if before and not before.users else []

    def _make_room(self, number: int, size: int, gone: list[Entry]) -> bool:
        """Take out the least recently used until so much more fits, if it can."""
        for key, entry in list(self._entries.items()):
            if self._fits(number, size):
                return True
            if not entry.users:
                gone.append(self._entries.pop(key))
                self._evicted(entry.version)
        return self._fits(number, size)

    def _fits(self, number: int, size: int) -> bool:
        held = [entry.version for entry in self._entries.values()]
        held += [load.version for load in self._loads.values()]
        total = sum(version.size for version in held)
        return self.limits.allow(len(held) + number, total + size)

    def _waits_for_itself(self, holder: Holder | None) -> bool:
        """Whether the request uses all models in memory, so that waiting is in vain."""
        mine = holder.entries if holder else []
        return not self._loads and all(e in mine for e in self._entries.values())

    def _is_forgotten(self, entry: Entry) -> bool:
        return not entry.users and self._entries.get(entry.version.key) is not entry

    @staticmethod
    def _dispose(gone: list[Entry]) -> None:
        """Outside of the lock: what frees a model may take its time."""
        while gone:
            gone.pop().release()
