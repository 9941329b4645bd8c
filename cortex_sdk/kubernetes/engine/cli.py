"""Finding the Pulumi CLI, and installing it for those who say yes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pulumi.automation import PulumiCommand
from semver import VersionInfo

from cortex_sdk.errors import TargetError
from cortex_sdk.kubernetes.engine.command import Command
from cortex_sdk.kubernetes.engine.folders import Folders

# What the engine relies on came with it: events over a connection, states without
# their folder, stacks named by project.
OLDEST = VersionInfo(3, 206, 0)
_HOME_PAGE = "https://www.pulumi.com/docs/install/"

_versions: dict[tuple[str, int], VersionInfo] = {}


def find(folders: Folders, consent: Callable[[str], bool] | None) -> Command:
    """The CLI on PATH, or the one of our own; offers to install one.

    Raises:
        TargetError: There is none, or it is too old or broken.
    """
    path = _on_path() or _own(folders)
    if path is None:
        return _offer(folders, consent or _ask)
    version = _version(path)
    if version < OLDEST:
        msg = (
            f"the Pulumi CLI at {path} is version {version}, and {OLDEST} or newer is"
            f" needed; update it ({_HOME_PAGE})"
        )
        raise TargetError(msg)
    return Command(path, version)


def _on_path() -> Path | None:
    found = shutil.which("pulumi")
    return Path(found) if found else None


def _own(folders: Folders) -> Path | None:
    path = folders.cli / "bin" / "pulumi"
    return path if path.exists() else None


def _version(path: Path) -> VersionInfo:
    """What the CLI says it is; asked once per process and build of it."""
    key = str(path), path.stat().st_mtime_ns
    if key not in _versions:
        _versions[key] = _ask_version(path)
    return _versions[key]


def _ask_version(path: Path) -> VersionInfo:
    try:
        said = subprocess.run(  # noqa: S603  # the CLI
            [path, "version"],
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return VersionInfo.parse(said.strip().removeprefix("v"))
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        msg = (
            f"the Pulumi CLI at {path} does not tell its version; install it anew"
            f" ({_HOME_PAGE})"
        )
        raise TargetError(msg) from error


def _offer(folders: Folders, consent: Callable[[str], bool]) -> Command:
    missing = "the Pulumi CLI is needed and not on PATH"
    if not consent(f"{missing}. Install it into {folders.cli} (about 300 MB)?"):
        msg = f"{missing}; install it ({_HOME_PAGE})"
        raise TargetError(msg)
    folders.make(folders.cli)
    try:
        PulumiCommand.install(root=str(folders.cli))
    except Exception as error:  # a script of Pulumi's that downloads: anything
        msg = f"the Pulumi CLI cannot be installed: {_said(error)}; see {_HOME_PAGE}"
        raise TargetError(msg) from error
    return find(folders, consent)


def _said(error: Exception) -> str:
    output = getattr(error, "output", None) or b""
    lines = output.decode(errors="replace").strip().splitlines()
    return " ".join(lines[-1:]) or str(error)


def _ask(question: str) -> bool:
    """Ask in a terminal; elsewhere nobody can agree."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    with suppress(EOFError):
        return input().strip().lower() in {"y", "yes"}
    return False
