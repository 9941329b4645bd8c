"""Everything that a deploy to a cluster is about to do, as data."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from cortex_sdk.errors import InvalidSpecError, TargetError
from cortex_sdk.local.home import write
from cortex_sdk.project.bundle import Bundle
from cortex_stacks.args import SyncAPIArgs

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Current:
    """An API as the cluster has it before a deploy."""

    args: SyncAPIArgs
    """What it was deployed with last; files are left out."""
    deployed_at: str
    desired: int
    live: int


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What a preview wrote down, for a deploy to do that and nothing else."""

    stack: str
    revision: str
    deployed_at: str
    changes: dict[str, Any] = field(repr=False)
    """The plan of Pulumi; secrets in it are encrypted."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file that `write` wrote; raises InvalidSpecError on any other."""
        try:
            values = json.loads(path.read_bytes())
            if values.pop("format") == _FORMAT:
                return cls(**values)
        except OSError as error:
            msg = f"cannot read the plan `{path}`: {error.strerror}"
            raise InvalidSpecError(msg) from error
        except (ValueError, KeyError, AttributeError, TypeError):
            pass
        msg = f"`{path}` is no plan; write one with `cortex preview --save`"
        raise InvalidSpecError(msg)

    def write(self, path: Path) -> None:
        """Write it, for this user alone; raises TargetError."""
        values = {
            "format": _FORMAT,
            "stack": self.stack,
            "revision": self.revision,
            "deployed_at": self.deployed_at,
            "changes": self.changes,
        }
        try:
            write(path, json.dumps(values, indent=2).encode())
        except OSError as error:
            msg = f"cannot write the plan `{path}`: {error.strerror}"
            raise TargetError(msg) from error

    def check(self, stack: str, revision: str) -> None:
        """Raise an InvalidSpecError unless it is for this API as it is now."""
        if self.stack != stack:
            msg = "the plan is for another API, namespace or cluster; preview again"
        elif self.revision != revision:
            msg = (
                f"the plan is for revision {self.revision}, and the project is revision"
                f" {revision} by now; preview again"
            )
        else:
            return
        raise InvalidSpecError(msg)


@dataclass(frozen=True, slots=True)
class KubernetesPlan:
    """What a deploy is about to do to a cluster."""

    args: SyncAPIArgs
    current: Current | None
    """None where there is no such API yet."""
    endpoint: str
    """URL that will answer predictions."""
    makes_namespace: bool = False
    upload: Bundle | None = None
    """What has to go to the store before pods can start."""
    saved: SavedPlan | None = None
    refresh: bool = False
    key: bytes = field(default=b"", repr=False)
    """What the hash of the secrets was made with."""

    @property
    def name(self) -> str:
        """Name of the API."""
        return self.args.name

    @property
    def revision(self) -> str:
        """Content hash of what will serve."""
        return self.args.revision
