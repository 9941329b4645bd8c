"""A root file system with the Python of a Debian release, like `python:slim`."""

import os
import subprocess
import sys
from pathlib import Path

from e2e.toolchain.errors import Unavailable

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
SUITES = {"3.11": "bookworm", "3.13": "trixie"}
PACKAGES = "python3,python3-pip,python3-venv,python-is-python3,ca-certificates"
UNREAD = ("doc", "man", "locale", "info", "lintian")
OPTIONS = (
    "--variant=minbase",
    f"--include={PACKAGES}",
    *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in UNREAD),
    # pip may install into the system, as it may in python:slim.
    '--customize-hook=rm -f "$1"/usr/lib/python3.*/EXTERNALLY-MANAGED',
)


def suite() -> str:
    """The Debian release whose Python is the one that runs the tests.

    Raises:
        Unavailable: If no release has it.
    """
    if MINOR not in SUITES:
        raise Unavailable(
            f"no Debian release has Python {MINOR}: run these tests with"
            f" {' or '.join(SUITES)}"
        )
    return SUITES[MINOR]


def write_root(target: Path) -> None:
    """Write the tar of a root file system; takes half a minute."""
    done = subprocess.run(
        ["mmdebstrap", *OPTIONS, suite(), str(target)],
        env=os.environ | {"SOURCE_DATE_EPOCH": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Unavailable(f"mmdebstrap failed: {done.stderr.strip()[-300:]}")
