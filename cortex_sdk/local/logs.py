"""Reading the logs of an API's replicas, which write and rotate them themselves."""

import heapq
import os
import re
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from cortex_sdk._target import LogLine

_POLL = 0.2
_TIMESTAMP = re.compile(rb'"timestamp": ?"([^"]*)"')

_Dated = tuple[bytes, LogLine]


def read(folder: Path, *, follow: bool, tail: int | None) -> Iterator[LogLine]:
    """The lines of all logs in a folder by time, then those that come, if wanted.

    Args:
        folder: Where the logs are; following ends when the one above it is gone.
        follow: Go on with new lines, of new replicas too.
        tail: Only the last so many of those already written.
    """
    logs: dict[Path, _Log] = {}
    try:
        past = _new_lines(folder, logs)
        yield from past if tail is None else deque(past, maxlen=tail)
        is_over = not follow
        while not is_over:
            is_over = not folder.parent.exists()
            yield from _new_lines(folder, logs)
            if not is_over:
                time.sleep(_POLL)
    finally:
        for log in logs.values():
            log.close()


def _new_lines(folder: Path, logs: "dict[Path, _Log]") -> Iterator[LogLine]:
    for path in sorted(folder.glob("*.log")):
        if path not in logs:
            logs[path] = _Log(path)
    merged = heapq.merge(*(log.lines() for log in logs.values()), key=lambda it: it[0])
    for _, line in merged:
        yield line
    for path in [path for path, log in logs.items() if log.is_gone()]:
        logs.pop(path).close()


class _Log:
    """The log of one replica, followed from file to file as it is rotated.

    A file is known by its inode while it is open, so none is read twice, and the
    one that was moved away is read to its end first.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._old = path.with_name(f"{path.name}.1")
        self._files: deque[IO[bytes]] = deque()
        self._rest = b""
        self._time = b""
        self._find_newer()

    def lines(self) -> Iterator[_Dated]:
        """All whole lines that were not there before, with their times."""
        while self._files:
            yield from self._read()
            if len(self._files) == 1 and not self._find_newer():
                return
            yield from self._read()  # written between reading and moving it away
            self._files.popleft().close()
            self._rest = b""

    def is_gone(self) -> bool:
        """Whether it was removed, and not only moved away a moment ago."""
        return not self._path.exists() and not self._old.exists()

    def close(self) -> None:
        """Let go of the files."""
        while self._files:
            self._files.popleft().close()

    def _read(self) -> Iterator[_Dated]:
        for piece in self._files[0]:
            self._rest += piece
            if not piece.endswith(b"\n"):
                return
            line, self._rest = self._rest.rstrip(b"\r\n"), b""
            if found := _TIMESTAMP.search(line):
                self._time = found[1]
            text = line.decode(errors="replace")
            yield self._time, LogLine(text=text, replica=self._path.stem)

    def _find_newer(self) -> bool:
        """Queue the files that came after the last one; whether there are any.

        The newest is opened first: if it is moved away meanwhile, it is the older
        one too, and not queued twice.
        """
        known = {_inode(file) for file in self._files}
        found: list[IO[bytes]] = []
        for path in (self._path, self._old):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                continue
            if _inode(file) in known:
                file.close()
                break  # whatever is older than a known file was read before
            known.add(_inode(file))
            found.insert(0, file)
        self._files.extend(found)
        return bool(found)


def _inode(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_ino
