"""One cell: a server, freshly started, under one workload."""

import time
from dataclasses import dataclass
from typing import Self

from comparison import machine
from comparison.environment import Contender
from comparison.load import Generator
from comparison.process import Usage
from comparison.trial import started
from comparison.workload import Workload

_WARM_UP_SECONDS = 1
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What was measured; shares are of one core."""

    server: str
    workload: str
    repeat: int
    cold_start_seconds: float
    rate: float
    p50_ms: float
    p99_ms: float
    errors: int
    cpu_us: float
    """Processor time of all the server's processes for one request."""
    rss_mib: float
    hooks_run: float | None
    """Share of the answered requests whose hook had run when the load ended."""
    load_share: float
    """How busy the load generator was: near 1, it was the limit."""
    foreign_share: float
    """How busy others kept the machine meanwhile."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How all cells are measured."""

    generator: Generator
    cores: machine.Cores
    seconds: int


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time that has passed, and who used the processor in it."""

    wall: float
    busy: float
    own: float
    server: float

    @classmethod
    def read(cls, usage: Usage) -> Self:
        """All of them now."""
        busy, own = machine.busy_seconds(), machine.own_seconds()
        return cls(time.perf_counter(), busy, own, usage.cpu_seconds)

    def since(self, start: "Clocks") -> "Clocks":
        """What has passed since an earlier reading."""
        return Clocks(
            self.wall - start.wall,
            self.busy - start.busy,
            self.own - start.own,
            self.server - start.server,
        )

    @property
    def foreign_share(self) -> float:
        """Cores that others used."""
        return max(0.0, self.busy - self.own - self.server) / self.wall


def check(contender: Contender, workload: Workload, cores: machine.Cores) -> float:
    """Start a server and see the right answer; seconds until it came.

    Raises:
        BenchmarkError: It did not start, or gave another answer.
    """
    with started(contender, workload, cores) as trial:
        return trial.cold_start_seconds


def measure(
    contender: Contender, workload: Workload, repeat: int, setup: Setup
) -> Cell:
    """Start a server, check its answer, load it, check its answer again.

    Raises:
        BenchmarkError: It did not start, or gave another answer.
    """
    with started(contender, workload, setup.cores) as trial:
        warm = trial.load(setup.generator, _WARM_UP_SECONDS)
        before = Clocks.read(trial.server.usage())
        load = trial.load(setup.generator, setup.seconds)
        usage = trial.server.usage()
        used = Clocks.read(usage).since(before)
        hooks = trial.hooks_run() / (1 + warm.requests + load.requests)
        trial.expect_answer()
    return Cell(
        server=contender.server.name,
        workload=workload.name,
        repeat=repeat,
        cold_start_seconds=trial.cold_start_seconds,
        rate=load.rate,
        p50_ms=load.p50_ms,
        p99_ms=load.p99_ms,
        errors=warm.errors + load.errors,
        cpu_us=1e6 * used.server / max(1, load.requests),
        rss_mib=usage.rss_bytes / _MEBIBYTE,
        hooks_run=min(1.0, hooks) if workload.has_hook else None,
        load_share=used.own / used.wall,
        foreign_share=used.foreign_share,
    )
