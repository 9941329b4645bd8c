"""Downloaded models on disk, shared by all processes that use the same folder.

A model is in its place whole or not at all: it is downloaded beside it and moved there
by one rename. Each has a lock file: held alone by who downloads or removes it, shared
by who uses it; the system lets go of the locks of a process that dies, so what it left
behind is known by nobody holding its lock.
"""

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cortex_server.worker.models.locks import Lock
from cortex_server.worker.models.memory import Limits
from cortex_server.worker.models.places import Place
from cortex_server.worker.models.versions import Version

_PART, _LOCK = ".part", ".lock"
_PRIVATE = 0o700
_ROOM = "room"


@dataclass(frozen=True, slots=True)
class Kept:
    """A model on disk that cannot be removed before `release`."""

    path: Path
    release: Callable[[], None]


class Disk:
    """The folder of downloaded models.

    What a process has in memory is not removed from disk; so several replicas that
    together use more models than the limits allow hold that many.

    Args:
        folder: Made when the first model is downloaded.
        limits: How many models and bytes.
        evicted: Called for each model that this process removes.
    """

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        evicted: Callable[[str], None] = lambda _name: None,
    ) -> None:
        self.folder = folder
        self._limits = limits
        self._evicted = evicted

    def keep(self, version: Version, place: Place) -> Kept:
        """The files of a version, downloaded unless they are here.

        Raises:
            ListingError: They cannot be downloaded.
            OSError: They cannot be written.
        """
        self.folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        entry = f"{version.name}-{version.number}-{version.fingerprint}"
        home = self.folder / entry
        while True:
            lock = Lock.shared(self._lock_file(entry))
            if home.is_dir():
                now = time.time_ns()  # the system's own idea of it is too coarse
                os.utime(lock.path, ns=(now, now))
                return Kept(_content(home, version), lock.release)
            lock.release()
            with Lock.alone(self._lock_file(entry)) as lock:
                if not home.is_dir():
                    self._download(version, place, home, lock)

    def tidy(self) -> None:
        """Remove what downloads that were cut off have left behind."""
        for part in self.folder.glob(f"*{_PART}"):
            if lock := Lock.attempt(self._lock_file(part.name.removesuffix(_PART))):
                with lock:
                    shutil.rmtree(part, ignore_errors=True)
                    if not part.with_suffix("").exists():
                        lock.remove()

    def sizes(self) -> dict[str, int]:
        """Bytes of each model on disk, the least recently used first."""
        found = []
        for lock in self.folder.glob(f"*{_LOCK}"):
            with suppress(OSError):
                name, status = lock.name.removesuffix(_LOCK), lock.stat()
                if status.st_size and self._exists(name):
                    found.append((status.st_mtime, name, int(lock.read_text() or 0)))
        return {name: size for _, name, size in sorted(found)}

    def _download(self, version: Version, place: Place, home: Path, lock: Lock) -> None:
        part = home.with_name(f"{home.name}{_PART}")
        shutil.rmtree(part, ignore_errors=True)  # of a download that was cut off
        with Lock.alone(self.folder / _ROOM):  # two must not count on the same room
            self._make_room(version.size)
            part.mkdir()
            lock.path.write_text(str(version.size))
        try:
            place.fetch(version, part)
            part.rename(home)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            lock.remove()
            raise

    def _make_room(self, size: int) -> None:
        held = self.sizes()
        for name in list(held):
            if self._limits.allow(len(held) + 1, sum(held.values()) + size):
                return
            if self._remove(name):
                del held[name]

    def _remove(self, name: str) -> bool:
        """Remove a model from disk unless it is in use."""
        lock = Lock.attempt(self._lock_file(name))
        if lock is None:
            return False
        with lock:
            home = self.folder / name
            part = home.with_name(f"{name}{_PART}")
            with suppress(FileNotFoundError):
                home.rename(part)  # gone at once, though removing it takes a while
            shutil.rmtree(part, ignore_errors=True)
            lock.remove()
        self._evicted(name)
        return True

    def _exists(self, name: str) -> bool:
        return (self.folder / name).exists() or (
            self.folder / f"{name}{_PART}"
        ).exists()

    def _lock_file(self, name: str) -> Path:
        return self.folder / f"{name}{_LOCK}"


def _content(home: Path, version: Version) -> Path:
    """The one file of a model that is one, else its folder."""
    if version.files[0].name:
        return home
    (file,) = home.iterdir()
    return file
