"""How a replica is started: its command line and its environment."""

import re
from collections.abc import Mapping
from pathlib import Path

from cortex_sdk.local.agent.state import Release
from cortex_sdk.local.home import ApiFolder, Home
from cortex_sdk.project.files import HOME_VARIABLE

WITHDRAW = 1.0
"""Seconds that a replica serves on when it is told to end: the gateway follows within
milliseconds, but its workers may be busy."""

_INHERITED = re.compile(
    "PATH|HOME|USER|LOGNAME|LANG|LC_.*|TZ|TMPDIR|LD_LIBRARY_PATH|DYLD_.*|CUDA_.*"
    "|NVIDIA_.*|.*_PROXY|.*_proxy|SSL_CERT_.*|REQUESTS_CA_BUNDLE|OMP_.*"
)


def inherited(environ: Mapping[str, str], home: Home) -> dict[str, str]:
    """What agent, gateway and replicas get of somebody's environment.

    The rest belongs to the shell that happened to start them, and would not be there
    after a restart of the machine.
    """
    kept = {
        name: value for name, value in environ.items() if _INHERITED.fullmatch(name)
    }
    return {**kept, HOME_VARIABLE: str(home.root)}


def command(home: Home, api: str, release: Release, replica: str) -> list[str]:
    """The command line of a replica; `env` and secrets come with the files."""
    folder, run = home.api(api), home.replica(replica)
    arguments = {
        "--manifest": folder.manifest(release.revision),
        "--bundle": home.bundle(release.bundle),
        "--root": home.bundles / release.bundle,
        "--models": folder.models,
        "--listen": f"unix:{run.public}",
        "--admin": f"unix:{run.admin}",
        "--replica": replica,
        "--log": folder.log(replica),
        "--failure": run.failure,
        "--withdraw": WITHDRAW,
        **_optional(home, folder, release),
    }
    line = [release.python, "-P", "-m", "cortex_server"]
    return [*line, *(str(part) for pair in arguments.items() for part in pair)]


def _optional(home: Home, folder: ApiFolder, release: Release) -> dict[str, Path]:
    found = {}
    if release.identity is not None:
        found["--class"] = home.class_file(release.identity)
    if release.has_secrets:
        found["--secrets"] = folder.secrets(release.revision)
    if release.has_keys:
        found["--keys"] = folder.keys
    return found
