"""What a replica of ours is told, written as a deploy would: `cortex_release.py w1`."""

import importlib
import sys
from pathlib import Path

APPS = Path(__file__).parent.parent / "apps"
KEY = bytes(32)
"""For the hash of secrets, of which there are none."""


def main(workload: str) -> None:
    """Write manifest and bundle to a folder below the working directory."""
    from comparison.server import REPLICA  # noqa: PLC0415  # see below

    from cortex_sdk._serve import prepare  # noqa: PLC0415  # same

    api = importlib.import_module(workload).api
    prepare(api, REPLICA, KEY)


if __name__ == "__main__":
    sys.path[:0] = [str(APPS), str(APPS.parent)]
    main(sys.argv[1])
