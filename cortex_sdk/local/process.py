"""Processes that outlive whoever started them, known by pid and start time."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_POLL = 0.1
_LAST_WORDS = 2000


@dataclass(frozen=True, slots=True)
class Process:
    """A process that may be anybody's child, or be long gone."""

    pid: int
    started: float
    """Seconds since boot on Linux, where the clock of the day may be set back."""
    child: "subprocess.Popen[bytes] | None" = field(
        default=None, compare=False, repr=False
    )
    """Set where this interpreter is the parent and has to take its exit status."""

    @classmethod
    def spawn(
        cls, command: Sequence[str], environment: Mapping[str, str], output: Path
    ) -> "Process":
        """Start a session of its own, with no terminal and all it prints in a file.

        Raises:
            OSError: The program is not there or cannot be run.
        """
        with output.open("ab") as file:
            child = subprocess.Popen(  # noqa: S603  # the caller's command
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=dict(environment),
                cwd="/",
                start_new_session=True,
            )
        return cls(child.pid, start_time(child.pid) or 0.0, child)

    def is_alive(self) -> bool:
        """Whether that very process still runs; a zombie does not."""
        if self.child is not None:
            return self.child.poll() is None
        return start_time(self.pid) == self.started

    def signal(self, number: int) -> None:
        """Send a signal, if it is still there."""
        if self.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and its children by force."""
        if not self.is_alive():
            return
        try:
            family = psutil.Process(self.pid).children(recursive=True)
        except psutil.Error:
            family = []
        self.signal(signal.SIGKILL)
        for member in family:
            with suppress(psutil.Error):
                member.kill()

    async def gone(self) -> None:
        """Return when it has ended, at once where the system can tell."""
        with suppress(AttributeError, OSError):  # Linux has it, macOS polls
            descriptor = os.pidfd_open(self.pid)
            try:
                if self.is_alive():
                    await _readable(descriptor)
            finally:
                os.close(descriptor)
        while self.is_alive():  # noqa: ASYNC110  # there is nothing to be told by
            await asyncio.sleep(_POLL)

    def exit_status(self, wait: float = 0) -> int | None:
        """Its exit status, None while it runs or where it is not known."""
        if self.child is None:
            return None
        with suppress(subprocess.TimeoutExpired):
            return self.child.wait(wait)
        return None

    def ending(self) -> str:
        """How it ended, as the end of a sentence."""
        code = self.exit_status()
        if code is None:
            return "ended"
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"exited with status {code}"


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)


def last_words(log: Path) -> str:
    """The last line of a log, as the end of a sentence; "" where there is none."""
    try:
        lines = log.read_bytes()[-_LAST_WORDS:].decode(errors="replace").splitlines()
    except OSError:
        return ""
    said = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f": {said}" if said else ""


def start_time(pid: int) -> float | None:
    """When a process was started; None where there is none, or a zombie."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        # psutil adds the time of boot, which moves when the clock is set.
        boot = psutil.boot_time() if psutil.LINUX else 0.0
        return float(round(process.create_time() - boot, 2))
    except psutil.Error:
        return None


def matching(test: Callable[[list[str]], bool]) -> list[Process]:
    """All processes of this user whose arguments pass a test."""
    found = []
    for process in psutil.process_iter(["cmdline", "uids"]):
        arguments, uids = process.info["cmdline"] or [], process.info["uids"]
        if uids and uids.real == os.getuid() and test(arguments):
            started = start_time(process.pid)
            if started is not None:
                found.append(Process(process.pid, started))
    return found
