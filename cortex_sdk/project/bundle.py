"""The files of a project as one archive, named by its content.

The same files give the same bytes on any machine: names in order, no times, no
owners, two modes. Contents are streamed, never held. The name is the hash of the
uncompressed archive, since compressors differ between machines.
"""

import hashlib
import heapq
import io
import os
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import get_ident
from typing import Any, BinaryIO

from cortex_sdk.declaration.units import size, size_text
from cortex_sdk.errors import InvalidSpecError, TargetError
from cortex_sdk.project.files import (
    IGNORE_FILE,
    ProjectFile,
    cannot_read,
    project_files,
    version_of,
)

LIMIT_VARIABLE = "CORTEX_BUNDLE_LIMIT"
_DEFAULT_LIMIT = 512 * 1024**2
_HIGHEST_LIMIT = 1024**3
_LARGEST_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of a project, ready to be written as an archive."""

    digest: str
    """sha256 of the uncompressed archive, 64 hex digits."""
    contents: tuple[ProjectFile, ...] = field(repr=False)

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files, in order."""
        return tuple(file.name for file in self.contents)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.contents)

    def write(self, path: Path) -> None:
        """Write the archive; `path` holds all of it or is not touched.

        Raises:
            InvalidSpecError: A file changed since the project was packed.
            TargetError: There is no room, or no permission to write.
        """
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}")
        try:
            with temporary.open("wb") as file:
                written = _archive(self.contents, file)
            if written != self.digest:
                raise _changed("the project")
            temporary.replace(path)
        except OSError as error:
            msg = f"cannot write the bundle `{path}`: {error.strerror or error}"
            raise TargetError(msg) from error
        finally:
            temporary.unlink(missing_ok=True)


def pack(root: Path) -> Bundle:
    """List and hash the files of a project.

    Raises:
        InvalidSpecError: The project is too large, changes right now, or holds
            something that cannot be read or cannot travel.
    """
    contents = tuple(project_files(root))
    _check_size(root, contents)
    return Bundle(_archive(contents), contents)


def _check_size(root: Path, files: Iterable[ProjectFile]) -> None:
    files, limit = list(files), _limit()
    total = sum(file.size for file in files)
    if total <= limit:
        return
    largest = heapq.nlargest(_LARGEST_SHOWN, files, key=lambda file: file.size)
    listed = ", ".join(f"`{file.name}` ({size_text(file.size)})" for file in largest)
    msg = (
        f"the project `{root}` has {size_text(total)}, the limit is"
        f" {size_text(limit)}; list what is not needed in `{IGNORE_FILE}`, or set"
        f" {LIMIT_VARIABLE} (at most {size_text(_HIGHEST_LIMIT)}); the largest files"
        f" are {listed}"
    )
    raise InvalidSpecError(msg)


def _limit() -> int:
    text = os.environ.get(LIMIT_VARIABLE)
    if not text:
        return _DEFAULT_LIMIT
    try:
        limit = size(int(text) if text.isdecimal() else text)
    except ValueError:
        limit = 0
    if not 0 < limit <= _HIGHEST_LIMIT:
        msg = (
            f"{LIMIT_VARIABLE} must be a size up to {size_text(_HIGHEST_LIMIT)} such"
            f' as "800Mi", got {text!r}'
        )
        raise InvalidSpecError(msg)
    return limit


class _Sink(io.RawIOBase):
    """Takes the bytes of an archive: hashes them, and passes them on to a file."""

    def __init__(self, file: BinaryIO | None) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def write(self, data: Any, /) -> int:  # noqa: ANN401  # any buffer
        self.hash.update(data)
        if self._file:
            self._file.write(data)
        return len(data)

    def tell(self) -> int:
        return 0


def _archive(files: Iterable[ProjectFile], file: BinaryIO | None = None) -> str:
    """Write the archive, or nothing where there is no `file`; return its hash."""
    sink = _Sink(file)
    with tarfile.open(
        fileobj=sink, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8"
    ) as archive:
        for member in files:
            with _opened(member) as content:
                archive.addfile(_header(member), content)
    return sink.hash.hexdigest()


def _header(file: ProjectFile) -> tarfile.TarInfo:
    header = tarfile.TarInfo(file.name)
    header.size = file.size
    header.mode = 0o755 if file.executable else 0o644
    return header


@contextmanager
def _opened(file: ProjectFile) -> Iterator[BinaryIO]:
    """The content of a file, which must be as listed until it has been read."""
    try:
        # Not followed and not waited for: it may have become a link or a pipe.
        number = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise _changed(f"`{file.name}`") from error
    except OSError as error:
        raise cannot_read(file.name, error) from error
    with os.fdopen(number, "rb") as content:
        _check_unchanged(file, number)
        try:
            yield content
        finally:
            _check_unchanged(file, number)


def _check_unchanged(file: ProjectFile, number: int) -> None:
    if version_of(os.fstat(number)) != file.version:
        raise _changed(f"`{file.name}`")


def _changed(what: str) -> InvalidSpecError:
    return InvalidSpecError(
        f"{what} changed while it was packed; deploy again when nothing writes to it,"
        f" or list it in `{IGNORE_FILE}`"
    )
