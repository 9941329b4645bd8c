"""Locks of other updates: whose they are, and whether their owner still lives."""

import os
import re
import socket
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LOCK = re.compile(
    r"^\s*(?P<url>\S.*): created by (?P<user>.*)@(?P<host>\S+) \(pid (?P<pid>\d+)\)"
    r" at (?P<since>\S+)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock as Pulumi tells of it."""

    url: str
    user: str
    host: str
    pid: int
    since: str
    """RFC 3339."""

    @property
    def is_here(self) -> bool:
        """Whether its owner ran on this machine."""
        return self.host == socket.gethostname()

    @property
    def is_stale(self) -> bool:
        """Whether its owner is known to be gone."""
        return self.is_here and not is_pulumi(self.pid)

    @property
    def file(self) -> Path | None:
        """The file that it is, where locks are files of this machine."""
        if not self.url.startswith("file://"):
            return None
        return Path(self.url.removeprefix("file://").partition("?")[0])


def parse(text: str) -> tuple[Lock, ...]:
    """The locks that an error of Pulumi's names."""
    return tuple(
        Lock(url, user, host, int(pid), since)
        for url, user, host, pid, since in _LOCK.findall(text)
    )


def is_pulumi(pid: int) -> bool:
    """Whether that process runs and is Pulumi: numbers of dead ones are used again."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return "pulumi" in _command(pid)


def _command(pid: int) -> str:
    """What a process runs; where that cannot be told, "pulumi" to be safe."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text()
    with suppress(OSError):
        return subprocess.run(  # noqa: S603  # a number
            ["/bin/ps", "-o", "comm=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    return "pulumi"
