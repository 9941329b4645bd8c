"""Where what was built stays: outside the repository, under names that say what."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "CORTEX_TOOLCHAIN"


def root() -> Path:
    """The folder of everything that is kept from one run to the next."""
    named = os.environ.get(VARIABLE)
    folder = Path(named) if named else Path.home() / ".cache" / "cortex-toolchain"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def digest(*parts: bytes | str | Path) -> str:
    """Twelve hex digits of texts, bytes and files (names and contents of folders)."""
    total = hashlib.sha256()
    for part in parts:
        for piece in _pieces(part):
            total.update(hashlib.sha256(piece).digest())
    return total.hexdigest()[:12]


def _pieces(part: bytes | str | Path) -> Iterator[bytes]:
    if isinstance(part, bytes):
        yield part
    elif isinstance(part, str):
        yield part.encode()
    elif part.is_file():
        with part.open("rb") as content:
            yield hashlib.file_digest(content, "sha256").digest()
    else:
        for file in sorted(path for path in part.rglob("*") if path.is_file()):
            yield file.relative_to(part).as_posix().encode()
            yield file.read_bytes()


@contextmanager
def alone(name: str) -> Iterator[None]:
    """One process at a time fills the part of the cache that `name` stands for."""
    locks = root() / "locks"
    locks.mkdir(exist_ok=True)
    with (locks / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
