"""Where models are: files of this machine, read where they are, or a URL."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from cortex_server.urls import UrlError, file_system, is_web, said
from cortex_server.worker.models.versions import File, ListingError, Version

_MOST_FILES = 100_000
_DEEPEST = 16
_WHEN_CHANGED = ("etag", "mtime", "modified", "created", "updated", "checksum", "md5")


class Place(Protocol):
    """Holds the files of one model, or of a folder of models."""

    address: str

    def look(self) -> list[File]:
        """All files, as they are now; raises ListingError where that fails."""

    def local(self, version: Version) -> Path | None:
        """Where a version is on this machine, None where it must be fetched."""

    def fetch(self, version: Version, folder: Path) -> Path:
        """Copy a version into an empty folder; returns its file, or the folder."""


def place_of(address: str) -> Place:
    """The place of a path or URL; a relative path is below the working directory.

    Raises:
        ListingError: The package that reads this kind of URL is not installed.
    """
    if address.startswith("file://"):
        address = address.removeprefix("file://").removeprefix("localhost")
    return RemotePlace(address) if "://" in address else LocalPlace(address)


class LocalPlace:
    """A file or folder of this machine."""

    def __init__(self, path: str) -> None:
        self.address = os.path.abspath(path)  # noqa: PTH100  # keeps symlinks

    def look(self) -> list[File]:
        """All files below the path."""
        try:
            return list(_bounded(self._files(), self.address))
        except OSError as error:
            reason = error.strerror or str(error)
            msg = f"{error.filename or self.address}: {reason.lower()}"
            raise ListingError(msg) from None

    def local(self, version: Version) -> Path:
        """It is here."""
        return Path(version.address)

    def fetch(self, version: Version, folder: Path) -> Path:
        """Never needed."""
        raise NotImplementedError

    def _files(self) -> Iterator[File]:
        if os.path.isfile(self.address):  # noqa: PTH113  # a str, as in the whole walk
            yield _file("", self.address)
        else:
            yield from self._walk("", self.address, frozenset())

    def _walk(self, prefix: str, path: str, above: frozenset[str]) -> Iterator[File]:
        real = os.path.realpath(path)
        if real in above:  # a link to a folder that it is in
            return
        with os.scandir(path) as entries:
            for entry in entries:
                name = f"{prefix}{entry.name}"
                if entry.is_dir():
                    yield from self._walk(f"{name}/", entry.path, above | {real})
                elif entry.is_file():
                    yield _file(name, entry.path)


def _file(name: str, path: str) -> File:
    status = os.stat(path)  # noqa: PTH116  # same
    mark = f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}"
    return File(name, status.st_size, mark)


class RemotePlace:
    """A file or folder at a URL, of any kind that fsspec knows."""

    def __init__(self, url: str) -> None:
        self.address = url.rstrip("/")
        self._fs, self._root = _file_system(url)
        self._is_web = is_web(url)

    def look(self) -> list[File]:
        """All files below the URL."""
        try:
            self._fs.invalidate_cache()
            found = self._fs.find(self._root, maxdepth=_DEEPEST, detail=True)
            files = list(_bounded(self._files(found), self.address))
        except ListingError:
            raise
        except Exception as error:  # each kind of store has errors of its own
            msg = f"{self.address} cannot be read: {said(error)}"
            raise ListingError(msg) from error
        if not files:
            msg = f"there is nothing at {self.address}"
            raise ListingError(msg)
        return files

    def local(self, _version: Version) -> None:
        """It must be fetched."""

    def fetch(self, version: Version, folder: Path) -> Path:
        """Download all files of a version."""
        below = version.address.removeprefix(self.address).strip("/")
        root = f"{self._root}/{below}" if below else self._root
        wanted = {
            f"{root}/{file.name}" if file.name else root: _below(folder, file, root)
            for file in version.files
        }
        for path in wanted.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        self._fs.get(list(wanted), [str(path) for path in wanted.values()])
        _check_sizes(version, list(wanted.values()))
        alone = version.files[0].name == ""
        return next(iter(wanted.values())) if alone else folder

    def _files(self, found: dict[str, dict[str, Any]]) -> Iterator[File]:
        for path, known in found.items():
            name = path.removeprefix(self._root).lstrip("/")
            if self._is_web and ("?" in name or "#" in name):  # a link, not a file
                continue
            details = known if _mark(known) else self._fs.info(path)
            size = int(details.get("size") or 0)
            yield File(name, size, _mark(details) or str(size))


def _file_system(url: str) -> tuple[Any, str]:
    try:
        return file_system(url)
    except UrlError as error:
        raise ListingError(str(error)) from None


def _mark(details: dict[str, Any]) -> str:
    """What tells whether the file has changed, "" where nothing does."""
    said = {
        key: str(value)
        for key, value in details.items()
        if value and any(word in key.lower() for word in _WHEN_CHANGED)
    }
    if not said:
        return ""
    return repr((details.get("size"), sorted(said.items())))


def _below(folder: Path, file: File, root: str) -> Path:
    """Where a file goes; nothing leads out of the folder."""
    name = file.name or PurePosixPath(root.partition("?")[0]).name
    steps = name.split("/")
    if {"", ".", ".."} & set(steps) or "\0" in name or "\\" in name:
        msg = f"{root} holds {name!r}, which leads out of it"
        raise ListingError(msg)
    return folder.joinpath(*steps)


def _check_sizes(version: Version, paths: list[Path]) -> None:
    for file, path in zip(version.files, paths, strict=True):
        came = path.stat().st_size
        if file.size and came != file.size:
            msg = f"{path.name} has {file.size} bytes, but {came} came"
            raise ListingError(msg)


def _bounded(files: Iterator[File], address: str) -> Iterator[File]:
    for number, file in enumerate(files):
        if number >= _MOST_FILES:
            msg = f"{address} has more than {_MOST_FILES} files"
            raise ListingError(msg)
        yield file
