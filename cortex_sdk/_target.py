"""What every target can do, and what it says about the APIs on it.

A target is a pair of functions, `plan` and `apply`, and the verbs below. All that
comes before `apply` touches nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from cortex_sdk import _rendering
from cortex_sdk._traffic import Traffic

if TYPE_CHECKING:
    from cortex_sdk._preview import Preview
    from cortex_sdk.declaration.deployable import Deployable

Progress = Callable[[str], None]
"""Called with one short line, such as "starting replica", as work moves on."""


def silent(_: str) -> None:
    """Progress that nobody watches."""


State = Literal["live", "updating", "error", "stopped"]


@dataclass(frozen=True, slots=True)
class Replicas:
    """How many replicas an API should have, and how many are ready."""

    desired: int
    live: int


@dataclass(frozen=True, slots=True)
class Status:
    """An API or a splitter as its target sees it; the same fields on every target."""

    name: str
    target: str
    endpoint: str
    """URL that answers predictions."""
    status: State
    reason: str
    """Why the status is what it is, "" when there is nothing to say."""
    revision: str
    """Content hash of what serves, 12 hex digits; "" when nothing ever did."""
    replicas: Replicas
    traffic: Traffic | None = None
    """Where a splitter sends its requests; None says that this is an API."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as `cortex get -o json` prints them."""
        return asdict(self)

    def __str__(self) -> str:
        return _rendering.status_as_text(self)

    def _repr_html_(self) -> str:
        return _rendering.status_as_html(self)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a replica's log."""

    text: str
    """The line as it was written: a JSON object, without its line end."""
    replica: str


@dataclass(frozen=True, slots=True)
class Metrics:
    """What the replicas of an API counted since each of them started, added up."""

    requests: Mapping[str, int] = field(default_factory=dict)
    """Responses by HTTP status code."""
    in_flight: int = 0
    """Requests being answered right now."""
    latency: Mapping[str, float] = field(default_factory=dict)
    """Seconds: mean, p50, p90, p99, as far as histogram buckets tell."""
    hooks: Mapping[str, int] = field(default_factory=dict)
    """`post_predict` calls: accepted, run, failed, dropped; retried; queued now."""
    classes: Mapping[str, int] = field(default_factory=dict)
    """Monitored predictions by class, the most frequent first."""
    values: Mapping[str, float] = field(default_factory=dict)
    """Monitored numbers: count, mean, deviation, min, max."""
    unmonitored: Mapping[str, int] = field(default_factory=dict)
    """Responses without a prediction of the declared kind, by reason."""
    custom: Mapping[str, float] = field(default_factory=dict)
    """Metrics of the predictor's own, by name and labels as Prometheus writes them."""
    batches: int = 0
    """Calls that several requests may have shared; 0 without batching."""
    batch_size: float = 0.0
    """Mean number of requests in a batch."""

    def __str__(self) -> str:
        return _rendering.metrics_as_text(self)

    def _repr_html_(self) -> str:
        return _rendering.metrics_as_html(self)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a target did with a plan."""

    name: str
    endpoint: str
    revision: str
    changed: bool
    """False when the API was up to date already."""


@dataclass(frozen=True, slots=True)
class Served:
    """A revision that served, now or earlier."""

    revision: str
    deployed_at: datetime


@dataclass(frozen=True, slots=True)
class Bounds:
    """Fewest and most replicas of an API; None leaves one as it is."""

    fewest: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """Where a machine sends its requests to an API."""

    url: str
    host: str | None = None
    """Host that the request names, None for the one in the URL."""


class Plan(Protocol):
    """Everything a target is about to do for one API or splitter, as data."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def revision(self) -> str:
        """Content hash of what will serve."""


class Target(Protocol):
    """A place where APIs run. Every verb raises a CortexError when it cannot."""

    @property
    def name(self) -> str:
        """The name it is listed under."""

    def plan(
        self, thing: "Deployable", *, saved: Path | None = None, refresh: bool = False
    ) -> Plan:
        """What deploying it would do; refuses settings it cannot honour.

        Args:
            thing: The declaration.
            saved: A file that `preview` wrote: nothing but what is in it is done.
            refresh: Also undo what others changed on the target meanwhile.
        """

    def preview(
        self, thing: "Deployable", *, refresh: bool = False, save: Path | None = None
    ) -> "Preview":
        """What a deploy would change; touches nothing but the file `save`."""

    def apply(self, plan: Any, progress: Progress) -> Applied:  # noqa: ANN401  # its own Plan
        """Do it; returns when the gateway follows, or raises DeployError."""

    def list(self) -> "list[Status]":
        """All APIs, by name."""

    def names(self) -> Sequence[str]:
        """Names of all APIs, for completion: quick, and starts nothing."""

    def status(self, name: str) -> Status:
        """One API; raises NotFoundError."""

    def logs(self, name: str, *, follow: bool, tail: int | None) -> Iterator[LogLine]:
        """Log lines of all replicas in order of time, the last `tail` of the past."""

    def metrics(self, name: str) -> Metrics:
        """What the replicas counted."""

    def history(self, name: str) -> Sequence[Served]:
        """Revisions that served, oldest first; the last one serves."""

    def rollback(self, name: str, to: str | None, progress: Progress) -> Applied:
        """Make an earlier revision serve again, unset the one before this one.

        A revision may be shortened to digits that only it starts with.
        """

    def scale(self, name: str, bounds: Bounds, progress: Progress) -> Applied:
        """Move the bounds of the replica count, without a new revision."""

    def refresh(self, name: str, progress: Progress) -> Applied:
        """Start all replicas anew, without losing a request."""

    def reach(self, name: str, endpoint: str) -> AbstractContextManager[Access]:
        """A way from this machine to an API, open as long as the block runs."""

    def delete(self, name: str) -> None:
        """End the API without losing an accepted request; raises NotFoundError."""

    def stop(self) -> None:
        """End whatever the target keeps running on this machine."""
