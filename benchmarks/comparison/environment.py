"""A virtual environment for each peer, so that no dependency of theirs meets ours."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from comparison.failure import BenchmarkError
from comparison.server import Server

SHARED = ("scikit-learn", "numpy")
"""Packages that the model needs: the same version everywhere."""
_INSTALL_SECONDS = 600
_VERSIONS = (
    "import importlib.metadata, json, sys;"
    "print(json.dumps({n: importlib.metadata.version(n) for n in sys.argv[1:]}))"
)


@dataclass(frozen=True, slots=True)
class Contender:
    """A server and the interpreter that runs it."""

    server: Server
    python: Path

    def versions(self) -> dict[str, str]:
        """The installed versions of the server's packages."""
        names = self.server.distributions
        command = [str(self.python), "-c", _VERSIONS, *names]
        printed = subprocess.run(command, capture_output=True, check=False, timeout=60)
        if printed.returncode:
            msg = f"{' or '.join(names)} is not installed for {self.python}"
            raise BenchmarkError(msg)
        found: dict[str, str] = json.loads(printed.stdout)
        return found


def default_folder() -> Path:
    """Where environments are kept between runs."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "cortex-sdk" / "benchmarks"


def prepare(server: Server, folder: Path) -> Contender:
    """Find the interpreter of a server, in an environment made where it is missing.

    Raises:
        BenchmarkError: There is no uv, or a package cannot be installed.
    """
    if not server.is_isolated:
        return Contender(server, Path(sys.executable))
    wanted = [*server.packages, *(f"{name}=={_ours(name)}" for name in SHARED)]
    environment = folder / server.name
    python, stamp = environment / "bin" / "python", environment / "packages.json"
    if _read(stamp) != [sys.version, *wanted]:
        _install(environment, python, wanted)
        stamp.write_text(json.dumps([sys.version, *wanted]))
    return Contender(server, python)


def _ours(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        msg = f"{name} is not installed here; run `pip install --group bench`"
        raise BenchmarkError(msg) from None


def _read(stamp: Path) -> list[str]:
    found: list[str] = json.loads(stamp.read_text()) if stamp.exists() else []
    return found


def _install(environment: Path, python: Path, packages: list[str]) -> None:
    print(f"making {environment}: {', '.join(packages)}", file=sys.stderr)
    uv = _uv()
    make = [uv, "venv", "--clear", "--python", sys.executable, str(environment)]
    install = [uv, "pip", "install", "--python", str(python), *packages]
    for command in (make, install):
        done = subprocess.run(
            [command[0], "--quiet", *command[1:]],
            check=False,
            timeout=_INSTALL_SECONDS,
        )
        if done.returncode:
            msg = f"`{' '.join(command)}` failed; its output is above"
            raise BenchmarkError(msg)


def _uv() -> str:
    beside = Path(sysconfig.get_path("scripts")) / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    if not found:
        msg = "no uv to make environments for the peers with; run `pip install uv`"
        raise BenchmarkError(msg)
    return found
