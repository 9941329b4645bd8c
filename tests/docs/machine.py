"""A home, a gateway port and an environment of their own for real deployments."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

BIN = Path(sys.executable).parent
STOP_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Machine:
    """What commands of a test run with, so that they meet no other installation."""

    user_home: Path
    gateway_port: int
    variables: dict[str, str] = field(default_factory=dict)
    """What else commands get, such as the way to a cluster."""

    @property
    def home(self) -> Path:
        """The home folder of the local target, at its usual place."""
        return self.user_home / ".cortex"

    @property
    def environment(self) -> dict[str, str]:
        """Variables for a command: this Python first, no colour, a wide terminal."""
        kept = {k: v for k, v in os.environ.items() if not _is_of_user(k)}
        path = self.variables.get("PATH", os.environ["PATH"])
        return (
            kept
            | self.variables
            | {
                "HOME": str(self.user_home),
                "CORTEX_HOME": str(self.home),
                "CORTEX_GATEWAY_PORT": str(self.gateway_port),
                "PATH": f"{BIN}{os.pathsep}{path}",
                "COLUMNS": "100",
                "NO_COLOR": "1",
                "TERM": "dumb",
            }
        )

    def processes(self) -> list[psutil.Process]:
        """Every process that belongs to this home."""
        return [p for p in psutil.process_iter() if _home_of(p) == str(self.home)]


@contextmanager
def machine(variables: dict[str, str] | None = None) -> Iterator[Machine]:
    """An empty machine; at the end nothing of it may run on.

    Raises:
        RuntimeError: `cortex stop` failed, or left processes behind.
    """
    # No folder of pytest's: sockets need a short path.
    with tempfile.TemporaryDirectory(prefix="cortex-") as folder:
        made = Machine(Path(folder), free_port(), variables or {})
        try:
            yield made
        except BaseException:
            _end(made)
            raise
        if left := _end(made):
            msg = f"`cortex stop` left this behind: {left}"
            raise RuntimeError(msg)


def free_port() -> int:
    """A port that the operating system says is free."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _end(made: Machine) -> list[str]:
    """Stop everything; what `cortex stop` left behind is killed and returned."""
    stop = subprocess.run(
        [BIN / "cortex", "stop"],
        env=made.environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=STOP_SECONDS,
    )
    left = [f"cortex stop: {stop.stderr}"] if stop.returncode else []
    for process in made.processes():
        left.append(_described(process))
        process.kill()
    return left


def _described(process: psutil.Process) -> str:
    try:
        return f"{process.pid}: {' '.join(process.cmdline())}"
    except psutil.Error:
        return f"{process.pid}: gone"


def _is_of_user(variable: str) -> bool:
    """Whether it leads to what the user of this machine has, or runs."""
    return variable.startswith("CORTEX_") or variable == "KUBECONFIG"


def _home_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("CORTEX_HOME")
    except (psutil.Error, OSError):
        return None
