"""The Kubernetes provider of Pulumi: the real one where it can be had."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from e2e.provider import VERSION, installing

LIMIT = 120.0


@dataclass(frozen=True, slots=True)
class Plugin:
    """Where the plugin is, and what it is, in words for a report."""

    home: Path
    what: str


def install(pulumi: Path, home: Path) -> Plugin:
    """Put the real plugin into a `PULUMI_HOME`, or else the stand-in."""
    if _download(pulumi, home):
        return Plugin(home, f"pulumi-resource-kubernetes {VERSION}")
    installing.install(home)
    return Plugin(home, f"stand-in for {VERSION}, which cannot be downloaded here")


def _download(pulumi: Path, home: Path) -> bool:
    command = [str(pulumi), "plugin", "install", "resource", "kubernetes", VERSION]
    environment = os.environ | {
        "PULUMI_HOME": str(home),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
