"""The log of a replica: one JSON object per line, whoever wrote it.

The worker and each predictor process write to a pipe of their own whose other end is
here, so that even the last words of a crashing C library arrive, no line is torn by
another, and one process alone rotates the file.
"""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

_LIMIT = 10 << 20
_LONGEST_LINE = 1 << 20
_STRUCTURED = (b'{"timestamp":', b"}")


class Log:
    """Takes bytes, writes whole lines as JSON or, for people, as text."""

    def __init__(
        self, path: Path | None, style: str, labels: Callable[[], dict[str, str]]
    ) -> None:
        self._path = path
        self._labels = labels
        self._render = _console_renderer() if style == "console" else None
        self._file = self._open()
        self._rests: dict[int, bytes] = {}
        """Unfinished lines, by who writes them."""

    def feed(self, data: bytes, writer: int = 0) -> None:
        """Take what one of several processes wrote, any number of bytes."""
        *lines, rest = (self._rests.pop(writer, b"") + data).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        if rest:
            self._rests[writer] = rest
        for line in lines:
            if line.strip():
                self._write(line)

    def event(self, level: str, event: str, **fields: Any) -> None:  # noqa: ANN401  # JSON
        """Write a line of the supervisor's own."""
        self._write(self._structured(level, event, **fields))

    def flush(self) -> None:
        """Write what is left of unfinished lines: no more of them will come."""
        rests, self._rests = self._rests, {}
        for rest in rests.values():
            if rest.strip():
                self._write(rest)

    def close(self) -> None:
        """Write what is left and let the file go."""
        self.flush()
        if self._path is not None:
            with suppress(OSError):
                self._file.close()

    def _structured(self, level: str, event: str, **fields: Any) -> bytes:  # noqa: ANN401  # JSON
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        stamp = {"timestamp": now.replace("+00:00", "Z"), "level": level}
        line = {**stamp, "event": event, **self._labels(), **fields}
        return json.dumps(line, separators=(",", ":")).encode()

    def _write(self, line: bytes) -> None:
        first, last = _STRUCTURED
        if not (line.startswith(first) and line.endswith(last)):
            text = line.decode(errors="replace").rstrip("\r")
            line = self._structured("info", text, stream="raw")
        if self._render:
            line = self._render(line)
        try:
            self._file.write(line + b"\n")
            self._file.flush()
            self._rotate()
        except (OSError, ValueError):
            return  # a full disk or a closed terminal must not end a replica

    def _rotate(self) -> None:
        if self._path is None or self._file.tell() < _LIMIT:
            return
        self._path.replace(f"{self._path}.1")
        full, self._file = self._file, self._open()
        full.close()

    def _open(self) -> IO[bytes]:
        return sys.stdout.buffer if self._path is None else self._path.open("ab")


def _console_renderer() -> Callable[[bytes], bytes]:
    import structlog  # noqa: PLC0415  # only where people read

    renderer = structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    hidden = ("api", "revision", "replica")

    def render(line: bytes) -> bytes:
        try:
            event = json.loads(line)
        except ValueError:
            return line
        shown = {key: value for key, value in event.items() if key not in hidden}
        return renderer(None, event.get("level", "info"), shown).encode()

    return render
