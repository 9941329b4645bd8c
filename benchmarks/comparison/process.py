"""A server under measurement: its processes, what they use, and their end."""

import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from comparison.machine import Cores

_TAG_VARIABLE = "BENCHMARK_TAG"
_GRACE_SECONDS = 3
_STEP_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Usage:
    """What all processes of a server use together."""

    cpu_seconds: float
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Running:
    """A started server."""

    process: subprocess.Popen[bytes]
    tag: str
    log: Path

    @property
    def has_exited(self) -> bool:
        """Whether the process that was started is gone."""
        return self.process.poll() is not None

    def last_words(self) -> str:
        """The end of what it printed."""
        return " | ".join(self.log.read_text(errors="replace").splitlines()[-5:])

    def usage(self) -> Usage:
        """Processor and memory used until now."""
        cpu, rss = 0.0, 0
        for process in self.family():
            try:
                times = process.cpu_times()
                cpu += times.user + times.system
                rss += process.memory_info().rss
            except psutil.Error:
                continue
        return Usage(cpu, rss)

    def family(self) -> list[psutil.Process]:
        """All its living processes, orphans included: they carry our tag."""
        return [process for process in psutil.process_iter() if self._owns(process)]

    def _owns(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return bool(process.environ().get(_TAG_VARIABLE) == self.tag)
        except psutil.Error:
            return False

    def stop(self) -> None:
        """End it politely, then by force, each process by its id."""
        if not self.has_exited:
            self.process.terminate()
        if not self._is_gone_within(_GRACE_SECONDS):
            for process in self.family():
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            self._is_gone_within(_GRACE_SECONDS)
        self.process.wait(_GRACE_SECONDS)

    def _is_gone_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self.family():
            if time.monotonic() > end:
                return False
            self.process.poll()
            time.sleep(_STEP_SECONDS)
        return True


@contextmanager
def running(
    command: list[str], variables: dict[str, str], folder: Path, cores: Cores
) -> Iterator[Running]:
    """Start a server on its core, in a session of its own; end it in any case."""
    with cores.for_server():
        server = _start(command, variables, folder)
    try:
        yield server
    finally:
        server.stop()


def _start(command: list[str], variables: dict[str, str], folder: Path) -> Running:
    tag, log = uuid.uuid4().hex, folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**_environment(), **variables, _TAG_VARIABLE: tag},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Running(process, tag, log)


def _environment() -> dict[str, str]:
    """Ours, without what changes an interpreter, and one thread for numerics."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") and name != "VIRTUAL_ENV"
    }
    return {
        **kept,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
