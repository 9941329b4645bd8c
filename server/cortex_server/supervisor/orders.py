"""What a supervisor is told, read in two steps.

A worker waits only for the first: it takes plain JSON. Checking all of a manifest
takes a library that costs as much as a third of a start; that can wait.
"""

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cortex_server.launch import Launch

if TYPE_CHECKING:
    from cortex_server.manifest import Manifest


class Orders:
    """A manifest and what comes with it.

    Args:
        launch: How the replica is started.

    Raises:
        OSError: A file cannot be read.
        ValueError: One of them holds something else.
    """

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        first = _first(launch.manifest)
        several = first.processes_per_replica
        self.predictor_processes = several if several > 1 else 0
        """Processes besides the worker, 0 where the predictor is in it."""
        self.environment = first.env | launch.read_secrets()
        """What the user's code finds besides what is inherited."""

    @cached_property
    def manifest(self) -> "Manifest":
        """All of it; raises ValueError unless a worker could make sense of it."""
        return _checked(self._launch.manifest)

    @cached_property
    def labels(self) -> dict[str, str]:
        """What metrics and lines of the log say of where they come from."""
        return {"api": self.manifest.name, "revision": self.manifest.revision}

    @cached_property
    def log_labels(self) -> dict[str, str]:
        """The same as far as it is known, and which replica it is."""
        try:
            return {**self.labels, "replica": self._launch.replica}
        except ValueError:
            return {"replica": self._launch.replica}


class _First(NamedTuple):
    env: dict[str, str]
    processes_per_replica: int


def _first(path: Path) -> _First:
    """What a worker needs to be started, if it stands there as the SDK writes it."""
    try:
        found = json.loads(path.read_bytes())
        env, several = found["env"], found["processes_per_replica"]
        is_plain = type(several) is int and all(type(v) is str for v in env.values())
    except (ValueError, LookupError, TypeError, AttributeError):
        is_plain = False
    if is_plain:
        return _First(env, several)
    manifest = _checked(path)
    return _First(manifest.env, manifest.processes_per_replica)


def _checked(path: Path) -> "Manifest":
    from cortex_server.manifest import Manifest  # noqa: PLC0415  # takes long

    return Manifest.read(path)
