"""Which models and versions are offered, and which is the latest that works. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from cortex_server.worker.models import errors
from cortex_server.worker.models.versions import Version, Versions

LATEST = "latest"
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0


@dataclass(slots=True)
class _Failure:
    reason: str
    retry_at: float
    pause: float


@dataclass(slots=True)
class Failures:
    """Versions that could not be loaded, and when it may be tried again.

    A version that changes is another one, and may be tried at once.
    """

    _found: dict[str, _Failure] = field(default_factory=dict)

    def add(self, version: Version, reason: str, now: float) -> None:
        """It failed now; each time it fails again it rests twice as long."""
        before = self._found.get(_id(version))
        pause = min(before.pause * 2, _LONGEST_PAUSE) if before else _FIRST_PAUSE
        self._found[_id(version)] = _Failure(reason, now + pause, pause)

    def forget(self, version: Version) -> None:
        """It was loaded after all, or somebody insists."""
        self._found.pop(_id(version), None)

    def keep(self, offered: Mapping[str, Versions]) -> None:
        """Forget what is offered no more."""
        there = {_id(v) for versions in offered.values() for v in versions.values()}
        self._found = {k: v for k, v in self._found.items() if k in there}

    def reason(self, version: Version) -> str | None:
        """Why it failed last time, None where it did not."""
        failure = self._found.get(_id(version))
        return failure.reason if failure else None

    def rests(self, version: Version, now: float) -> bool:
        """Whether it failed so recently that it is not tried."""
        failure = self._found.get(_id(version))
        return failure is not None and now < failure.retry_at


def _id(version: Version) -> str:
    return f"{version.name}/{version.number}/{version.fingerprint}"


@dataclass(frozen=True, slots=True)
class _State:
    """Replaced as a whole, so that who reads it needs no lock."""

    offered: dict[str, Versions]
    latest: dict[str, int]

    def only(self) -> str:
        """The name that need not be given."""
        if len(self.offered) != 1:
            raise errors.unnamed(self.offered)
        (name,) = self.offered
        return name


class Catalog:
    """The models on offer, and for each the version that "latest" means.

    That is the highest one, except while a higher one has not been loaded yet or could
    not be. What appears later is taken up when it looks the same twice in a row: before
    that, somebody may still be writing it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._state = _State({}, {})
        self._seen: dict[str, Versions] = {}

    @property
    def offered(self) -> dict[str, Versions]:
        """Versions by number, by the name of their model."""
        return self._state.offered

    def start(self, seen: dict[str, Versions]) -> None:
        """What there is when the replica starts, or somebody says that it is ready."""
        with self._lock:
            self._offer(seen)
            self._seen = seen

    def update(self, seen: dict[str, Versions]) -> None:
        """What there is now; "latest" moves only where its version has gone."""
        with self._lock:
            settled = {
                name: kept
                for name, versions in seen.items()
                if (kept := self._settled(name, versions))
            }
            self._offer(settled)
            self._seen = seen

    def accept(self, name: str, versions: Versions) -> None:
        """Offer these of a model at once: somebody says that they are complete."""
        with self._lock:
            self._offer({**self.offered, name: versions})
            self._seen = {**self._seen, name: versions}

    def find(self, name: str | None, version: int | str) -> Version:
        """The version that a request means.

        Raises:
            NotFound: There is no such model or version.
            BadRequest: None was named though there are several, or it is no version.
        """
        state = self._state
        name = state.only() if name is None else name
        versions = state.offered.get(name)
        if not versions:
            raise errors.unknown_model(name, state.offered)
        number = state.latest[name] if version == LATEST else _number(version)
        if number not in versions:
            raise errors.unknown_version(name, number, versions)
        return versions[number]

    def latest(self, name: str) -> Version:
        """The version that "latest" means for a model on offer."""
        state = self._state
        return state.offered[name][state.latest[name]]

    def highest(self, name: str) -> Version:
        """The version that it should mean."""
        versions = self.offered[name]
        return versions[max(versions)]

    def move(self, version: Version) -> None:
        """Let "latest" mean this version, if it is still on offer."""
        with self._lock:
            if version.number in self.offered.get(version.name, {}):
                self._state.latest[version.name] = version.number

    def below(self, version: Version) -> Version | None:
        """The next lower version of the same model."""
        versions = self.offered.get(version.name, {})
        lower = [number for number in versions if number < version.number]
        return versions[max(lower)] if lower else None

    def _offer(self, offered: dict[str, Versions]) -> None:
        before = self._state.latest
        latest = {
            name: _next_latest(before.get(name), versions)
            for name, versions in offered.items()
        }
        self._state = _State(offered, latest)

    def _settled(self, name: str, versions: Versions) -> Versions:
        """What is seen again as it was; of the rest, what was on offer before."""
        kept: Versions = {}
        for number, version in sorted(versions.items()):
            before = self._seen.get(name, {}).get(number)
            if before is not None and before.fingerprint == version.fingerprint:
                kept[number] = version
            elif old := self.offered.get(name, {}).get(number):
                kept[number] = old
        return kept


def _next_latest(current: int | None, versions: Versions) -> int:
    if current is not None and current in versions:
        return current
    lower = [number for number in versions if current is None or number < current]
    return max(lower or versions)


def _number(version: int | str) -> int:
    text = str(version)
    if isinstance(version, bool) or not (text.isascii() and text.isdigit()):
        raise errors.no_version(version)
    return int(text)
