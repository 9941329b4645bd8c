"""One run per stack at a time on this machine: others wait, and say for whom."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cortex_sdk._target import Progress

_POLL = 0.2


@contextmanager
def turn(path: Path, progress: Progress) -> Iterator[None]:
    """Hold the stack's turn; it falls free when this process ends, however it ends."""
    descriptor = _wait(path, progress)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _wait(path: Path, progress: Progress) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if _is_ours(descriptor, path):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            return descriptor
        owner = os.read(descriptor, 20).decode() or "?"
        os.close(descriptor)
        progress(f"waiting for another change to finish (process {owner})")
        time.sleep(_POLL)


def _is_ours(descriptor: int, path: Path) -> bool:
    """Lock the file, unless somebody has it or has taken it away meanwhile."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    try:
        return path.stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False
