"""Load on a server: wrk where it is installed, a generator of our own elsewhere."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from comparison.failure import BenchmarkError

_HERE = Path(__file__).parent
_WRK_HINT = "wrk is not installed (Debian: `apt-get install wrk`)"
_SLACK_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go, and what is in them."""

    port: int
    path: str
    body: bytes
    content_type: str

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Load:
    """What a generator saw."""

    requests: int
    seconds: float
    errors: int
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return self.requests / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Generator:
    """A program that sends one request again and again and prints a Load as JSON."""

    title: str
    wrk: str | None

    @classmethod
    def choose(cls) -> "Generator":
        """The best that this machine has."""
        wrk = shutil.which("wrk")
        if wrk:
            return cls("wrk", wrk)
        return cls(f"our own generator, since {_WRK_HINT}", None)

    def run(self, target: Target, connections: int, seconds: int, folder: Path) -> Load:
        """Send for some seconds and say how it went.

        Raises:
            BenchmarkError: The generator failed.
        """
        command = self._command(target.url, connections, seconds)
        return generated(command, target, seconds, folder)

    def _command(self, url: str, connections: int, seconds: int) -> list[str]:
        if not self.wrk:
            module = [sys.executable, "-m", "comparison.generator"]
            return [*module, url, str(connections), str(seconds)]
        size = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
        return [self.wrk, *size, "-s", str(_HERE / "wrk.lua"), url]


def generated(command: list[str], target: Target, seconds: int, folder: Path) -> Load:
    """Run a generator of load, and say how it went.

    Raises:
        BenchmarkError: It failed, or did not end.
    """
    body = folder / "body"
    body.write_bytes(target.body)
    variables = {"BODY": str(body), "CONTENT_TYPE": target.content_type}
    try:
        done = subprocess.run(
            command,
            cwd=_HERE.parent,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + _SLACK_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        msg = f"the load of {seconds} seconds did not end after {error.timeout:g}"
        raise BenchmarkError(msg) from error
    return parse(done.stdout, done.stderr)


def parse(output: str, errors: str = "") -> Load:
    """Read the line of JSON that a generator prints last.

    Raises:
        BenchmarkError: There is none.
    """
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not lines:
        msg = f"the load generator failed: {(errors or output).strip()[-300:]}"
        raise BenchmarkError(msg)
    return Load(**json.loads(lines[-1]))
