"""Running `cortex` as a user does: as a process, in a home of its own."""

import os
import pty
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psutil
from fakes import Result

EXECUTABLE = str(Path(sys.executable).with_name("cortex"))
LIMIT = 60.0


def eventually(claim: Callable[[], bool], what: str) -> None:
    """Wait until something is true, and fail when it takes too long."""
    deadline = time.monotonic() + LIMIT
    while not claim():
        if time.monotonic() > deadline:
            raise AssertionError(what)
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Running:
    """A command line that has not ended yet."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", out: IO[bytes], err: IO[bytes]
    ) -> None:
        self.process = process
        self._out = out
        self._err = err

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def out(self) -> str:
        return self._read(self._out)

    @property
    def err(self) -> str:
        return self._read(self._err)

    def says(self, text: str) -> None:
        """Wait until it has printed something."""

        def said() -> bool:
            if text in self.out + self.err:
                return True
            assert self.process.poll() is None, f"ended: {self.out}{self.err}"
            return False

        eventually(said, f"never said {text!r}")

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, number: signal.Signals | None = None) -> Result:
        """Wait for its end, after a signal if one is given."""
        if number is not None:
            self.tell(number)
        code = self.process.wait(LIMIT)
        return Result(code, self.out, self.err)

    @staticmethod
    def _read(file: IO[bytes]) -> str:
        return os.pread(file.fileno(), 1 << 24, 0).decode()


class Cortex:
    """The command line, with an environment and a working directory."""

    def __init__(self, home: Path, project: Path) -> None:
        self.home = home
        self.project = project
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("CORTEX_")},
            "CORTEX_HOME": str(home),
            "CORTEX_GATEWAY_PORT": str(free_port()),
            "COLUMNS": "200",
        }
        for name in ("NO_COLOR", "FORCE_COLOR"):
            self.environment.pop(name, None)

    def __call__(self, *arguments: Any, stdin: str = "", **variables: str) -> Result:
        done = subprocess.run(
            [EXECUTABLE, *map(str, arguments)],
            input=stdin.encode(),
            capture_output=True,
            cwd=self.project,
            env=self.environment | variables,
            timeout=LIMIT,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def shell(self, line: str) -> Result:
        """Run a line of bash in which `cortex` is the command line."""
        path = f"{Path(EXECUTABLE).parent}:{self.environment['PATH']}"
        done = subprocess.run(
            ["bash", "-c", line],
            capture_output=True,
            text=True,
            cwd=self.project,
            env=self.environment | {"PATH": path},
            timeout=LIMIT,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def start(self, *arguments: Any, **variables: str) -> Iterator[Running]:
        """Start a command line, and end it when the block does."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(
                [EXECUTABLE, *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.project,
                env=self.environment | variables,
            )
            try:
                yield Running(process, out, err)
            finally:
                with suppress(ProcessLookupError):
                    process.terminate()
                process.wait(LIMIT)

    def in_terminal(self, *arguments: Any, types: str = "", **variables: str) -> Result:
        """Run a command line in a terminal; all it prints is in `out`."""
        ours, theirs = pty.openpty()
        terminal = {"TERM": "xterm-256color", **variables}
        process = subprocess.Popen(
            [EXECUTABLE, *map(str, arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=self.project,
            env=self.environment | terminal,
            start_new_session=True,
        )
        os.close(theirs)
        os.write(ours, types.encode())
        shown = b""
        with suppress(OSError):  # the terminal is gone when the last process is
            while block := os.read(ours, 1 << 16):
                shown += block
        os.close(ours)
        return Result(process.wait(LIMIT), shown.decode(), "")

    def write(self, name: str, content: str) -> Path:
        """Put a file into the project."""
        path = self.project / name
        path.write_text(content)
        return path

    def processes(self) -> list[psutil.Process]:
        """Everything that carries this home in its environment, besides us."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("CORTEX_HOME") == str(self.home):
                    found.append(process)
        return found

    def end_all(self) -> None:
        """Kill until nothing is left: an agent may just have started something."""
        while left := self.processes():
            for process in left:
                with suppress(psutil.Error):
                    process.kill()
            psutil.wait_procs(left, timeout=10)
