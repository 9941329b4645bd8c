"""Stand-ins for our own protocols, named as such; they run nothing."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cortex_sdk import SyncAPI
from cortex_sdk._preview import Preview
from cortex_sdk._target import (
    Access,
    Applied,
    Bounds,
    LogLine,
    Metrics,
    Progress,
    Replicas,
    Served,
    Status,
    Target,
)
from cortex_sdk.errors import CortexError, NotFoundError


@dataclass(frozen=True)
class Result:
    """What one command line left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]
"""Runs one command line."""


@dataclass(frozen=True)
class FakePlan:
    """A plan that holds the declaration itself."""

    api: SyncAPI

    @property
    def name(self) -> str:
        return self.api.name

    @property
    def revision(self) -> str:
        return "a1b2c3d4e5f6"


@dataclass
class FakeTarget:
    """A target that remembers what it was told, and fails where it is told to."""

    name: str = "fake"
    statuses: dict[str, Status] = field(default_factory=dict)
    lines: list[LogLine] = field(default_factory=list)
    counted: Metrics | CortexError = field(default_factory=Metrics)
    failing: dict[str, CortexError | BaseException] = field(default_factory=dict)
    """What a deploy or a delete of that API raises."""
    served: list[Served] = field(default_factory=list)
    previewed: Preview | None = None
    did: list[str] = field(default_factory=list)

    def with_api(self, name: str, **changes: Any) -> "FakeTarget":
        values: dict[str, Any] = {
            "name": name,
            "target": self.name,
            "endpoint": f"http://h/{name}",
            "status": "live",
            "reason": "",
            "revision": "a1b2c3d4e5f6",
            "replicas": Replicas(desired=1, live=1),
        }
        self.statuses[name] = Status(**values | changes)
        return self

    def plan(
        self, api: SyncAPI, *, saved: Path | None = None, refresh: bool = False
    ) -> FakePlan:
        if saved or refresh:
            self.did.append(f"plan saved={saved} refresh={refresh}")
        return FakePlan(api)

    def preview(
        self, api: SyncAPI, *, refresh: bool = False, save: Path | None = None
    ) -> Preview:
        self._do(f"preview refresh={refresh} save={save}", api.name)
        assert self.previewed is not None
        return self.previewed

    def apply(self, plan: FakePlan, progress: Progress) -> Applied:
        progress("starting replica")
        self._do("deploy", plan.name)
        self.with_api(plan.name)
        return self._applied(plan.name, plan.revision)

    def list(self) -> list[Status]:
        return list(self.statuses.values())

    def names(self) -> Sequence[str]:
        return list(self.statuses)

    def status(self, name: str) -> Status:
        if name not in self.statuses:
            raise NotFoundError(name)
        return self.statuses[name]

    def logs(self, name: str, *, follow: bool, tail: int | None) -> Iterator[LogLine]:
        self._do(f"logs follow={follow} tail={tail}", name)
        yield from self.lines

    def metrics(self, name: str) -> Metrics:
        if isinstance(self.counted, CortexError):
            raise self.counted
        return self.counted

    def history(self, name: str) -> Sequence[Served]:
        return self.served

    def rollback(self, name: str, to: str | None, progress: Progress) -> Applied:
        self._do(f"rollback to={to}", name)
        return self._applied(name, to or "000000000000")

    def scale(self, name: str, bounds: Bounds, progress: Progress) -> Applied:
        self._do(f"scale {bounds.fewest}..{bounds.most}", name)
        return self._applied(name, "a1b2c3d4e5f6")

    def refresh(self, name: str, progress: Progress) -> Applied:
        self._do("refresh", name)
        return self._applied(name, "a1b2c3d4e5f6")

    def reach(self, name: str, endpoint: str) -> AbstractContextManager[Access]:
        return nullcontext(Access(endpoint))

    def delete(self, name: str) -> None:
        self._do("delete", name)
        del self.statuses[name]

    def stop(self) -> None:
        self.did.append("stop")

    def _do(self, verb: str, name: str) -> None:
        self.did.append(f"{verb} {name}")
        if name in self.failing:
            raise self.failing[name]

    def _applied(self, name: str, revision: str) -> Applied:
        endpoint = self.statuses[name].endpoint
        return Applied(name=name, endpoint=endpoint, revision=revision, changed=True)


def as_target(fake: FakeTarget) -> Target:
    """The fake as what it stands for; a type checker holds it to the protocol."""
    return fake


def served(revision: str, day: int) -> Served:
    """A revision that began to serve on that day of January 2026."""
    return Served(revision, datetime(2026, 1, day, 12, tzinfo=UTC))
