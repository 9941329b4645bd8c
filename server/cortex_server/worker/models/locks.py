"""File locks between processes; the system releases those of a process that ends."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

_PRIVATE = 0o600


class Lock:
    """A lock that is held, by this object and not by its process."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def shared(cls, path: Path) -> Self:
        """Hold it together with others, once nobody holds it alone."""
        return cls(path, _locked(path, fcntl.LOCK_SH))

    @classmethod
    def alone(cls, path: Path) -> Self:
        """Hold it alone, once nobody else does."""
        return cls(path, _locked(path, fcntl.LOCK_EX))

    @classmethod
    def attempt(cls, path: Path) -> Self | None:
        """Hold it alone if nobody else does."""
        try:
            return cls(path, _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            return None

    def remove(self) -> None:
        """Remove the file; who waits for the lock makes a new one."""
        self.path.unlink(missing_ok=True)

    def release(self) -> None:
        """Let go; a second time is no harm."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        """Hold it while a block runs."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        frames: TracebackType | None,
    ) -> None:
        """Let go."""
        self.release()


def _locked(path: Path, operation: int) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        try:
            fcntl.flock(descriptor, operation)
            if _is_same(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # the file was removed while we waited


def _is_same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
