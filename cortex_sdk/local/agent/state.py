"""What the agent knows of an API, as it lies on disk, and how it changes.

Whatever moment the agent is killed at, the next one reads a state that it
understands: `current` is what should serve, `candidate` is a deploy that had not
come through yet, and a replica is written down as soon as it has a pid.
"""

import time
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from cortex_sdk.errors import NotFoundError
from cortex_sdk.local.home import write
from cortex_sdk.local.process import Process
from cortex_server.manifest import Manifest

HISTORY = 10
"""Releases that can be rolled back to."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Release(_Record):
    """One revision with all that is needed to start it, also months later."""

    revision: str
    python: str
    """Interpreter that runs it."""
    bundle: str
    identity: str | None = None
    """Of what is pickled, None where all that runs is in files."""
    has_secrets: bool = False
    has_keys: bool = False
    """Whether only callers with a key get in; no part of the revision."""
    deployed_at: float = 0.0


class ReplicaRecord(_Record):
    """A replica that was started."""

    id: str
    revision: str
    pid: int
    started: float
    is_retiring: bool = False
    """Whether it was replaced, and only finishes what it has begun."""

    @property
    def process(self) -> Process:
        """The process, if it still runs."""
        return Process(self.pid, self.started)


class Reach(_Record):
    """How the gateway treats an API; a change of it needs no new replica."""

    endpoint: str
    idempotent: bool = False


class ApiState(_Record):
    """Everything that the agent has to remember of one API."""

    format: Literal[1] = 1
    name: str
    reach: Reach
    current: Release | None = None
    candidate: Release | None = None
    replicas: tuple[ReplicaRecord, ...] = ()
    history: tuple[Release, ...] = ()
    """Releases that served, oldest first; the last is `current`."""
    failure: str = ""
    """Why the last deploy failed, "" when it did not."""
    deleting: bool = False

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a state; raises OSError or ValidationError."""
        return cls.model_validate_json(path.read_bytes())

    def write(self, path: Path) -> None:
        """Replace the state on disk; raises OSError."""
        write(path, self.model_dump_json(indent=2).encode())

    def began(self, release: Release, reach: Reach) -> Self:
        """A deploy of `release` is under way."""
        # What serves keeps its endpoint until the new release is ready.
        reach = self.reach if self.current else reach
        return self.model_copy(update={"candidate": release, "reach": reach})

    def came_through(self, release: Release, reach: Reach) -> Self:
        """`release` serves."""
        dated = release.model_copy(update={"deployed_at": time.time()})
        again = self.current is not None and self.current.revision == release.revision
        past = self.history[:-1] if again else self.history
        changes = {
            "reach": reach,
            "current": dated,
            "candidate": None,
            "history": (*past, dated)[-HISTORY:],
            "failure": "",
        }
        return self.model_copy(update=changes)

    def failed(self, reason: str) -> Self:
        """The deploy under way failed; what served before still does."""
        if self.current is not None and self.candidate is not None:
            reason = f"update to {self.candidate.revision} failed: {reason}"
        return self.model_copy(update={"candidate": None, "failure": reason})

    def reached_by(self, reach: Reach) -> Self:
        """The gateway treats it in another way from now on."""
        return self.model_copy(update={"reach": reach, "failure": ""})

    def with_replica(self, record: ReplicaRecord) -> Self:
        """A replica was started."""
        return self.model_copy(update={"replicas": (*self.replicas, record)})

    def with_retiring(self, replica: str) -> Self:
        """A replica was replaced and is about to be told to end."""
        marked = tuple(
            one.model_copy(update={"is_retiring": one.is_retiring or one.id == replica})
            for one in self.replicas
        )
        return self.model_copy(update={"replicas": marked})

    def serving(self) -> list[ReplicaRecord]:
        """Replicas of the current release that were not replaced, newest first."""
        revision = self.current.revision if self.current else None
        return [
            one
            for one in reversed(self.replicas)
            if one.revision == revision and not one.is_retiring
        ]

    def without_replica(self, replica: str) -> Self:
        """A replica is gone."""
        left = tuple(one for one in self.replicas if one.id != replica)
        return self.model_copy(update={"replicas": left})

    def to_roll_back_to(self, revision: str | None) -> Release | None:
        """The release with that revision, or the last before the current one.

        Who may call stays as it is: keys are no part of a revision.
        """
        serving = self.current.revision if self.current else ""
        has_keys = self.current is not None and self.current.has_keys
        for release in reversed(self.history):
            if release.revision != serving and release.revision.startswith(
                revision or ""
            ):
                return release.model_copy(update={"has_keys": has_keys})
        return None

    def needs_keys(self) -> bool:
        """Whether a replica may still look into the file of keys."""
        wanted = (self.current, self.candidate)
        is_leaving = any(one.is_retiring for one in self.replicas)
        return is_leaving or any(one is not None and one.has_keys for one in wanted)

    def releases(self) -> list[Release]:
        """All releases whose files are still needed."""
        others = (self.current, self.candidate)
        return [*self.history, *(one for one in others if one is not None)]

    def revisions(self) -> set[str]:
        """All revisions whose files are still needed."""
        running = {one.revision for one in self.replicas}
        return running | {one.revision for one in self.releases()}


def release_of(
    manifest: Manifest, python: str, *, has_secrets: bool, has_keys: bool
) -> Release:
    """The release that a manifest describes."""
    return Release(
        revision=manifest.revision,
        python=python,
        bundle=manifest.bundle,
        identity=manifest.by_value,
        has_secrets=has_secrets,
        has_keys=has_keys,
    )


def missing(name: str) -> NotFoundError:
    """What is raised for an API that is not there."""
    return NotFoundError(f"there is no API {name!r} on local; see `cortex get`")
