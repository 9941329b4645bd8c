"""What hooks cost the clients of our server, and whether all of them run.

At 80 % of what its workers can run, a load with hooks is compared with the same load
without; at twice of what they can run, every hook has to be accounted for.
"""

import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import httpx

from comparison.cell import Setup
from comparison.environment import Contender
from comparison.failure import BenchmarkError
from comparison.goals import Goal
from comparison.load import Load, generated
from comparison.report import table
from comparison.server import OURS
from comparison.trial import Trial, started
from comparison.workload import workloads

CAPACITY = 4 / 0.010
"""Hooks that can run in a second: four workers, ten milliseconds each."""
WITHOUT, WITH, OVERLOAD = "w1, 80 %", "w6, 80 %", "w6, 200 %"
_LOADS = {WITHOUT: ("w1", 0.8), WITH: ("w6", 0.8), OVERLOAD: ("w6", 2.0)}
_OUTCOME = re.compile(r'cortex_post_predict_total{[^}]*outcome="(\w+)"[^}]*} ([\d.]+)')
_WARM_UP_SECONDS = 1
_SETTLE_SECONDS = 10
_POLL_SECONDS = 0.02

Outcomes = dict[str, int]
"""How many hooks were accepted, run, failed and dropped."""


@dataclass(frozen=True, slots=True)
class Row:
    """One load, and the hooks that followed it."""

    name: str
    load: Load
    hooks: Outcomes
    """When all of them are over."""
    run_per_second: float
    """While the load went on."""


def measure(contender: Contender, setup: Setup, repeats: int) -> list[Row]:
    """Every load in turn, then all again."""
    return [
        _measured(contender, name, setup) for _ in range(repeats) for name in _LOADS
    ]


def render(rows: Sequence[Row], *, markdown: bool) -> str:
    """What was measured, as a part of the report."""
    heading = "### " if markdown else ""
    title = f"{heading}{OURS}: hooks of 10 ms, requests at times of their own"
    return f"{title}\n\n{table(figures(rows), markdown=markdown)}"


def goals(rows: Sequence[Row]) -> list[Goal]:
    """What hooks may cost clients, and how many of them have to run."""
    base, busy, flooded = (_of(rows, name) for name in (WITHOUT, WITH, OVERLOAD))
    accepted, run = (sum(row.hooks[w] for row in busy) for w in ("accepted", "run"))
    rate = median(row.run_per_second for row in flooded)
    beside = "as a multiple of that without hooks"
    return [
        Goal(f"{WITH}: p50 {beside}", _ratio(busy, base, "p50_ms"), 1.1, is_upper=True),
        Goal(f"{WITH}: p99 {beside}", _ratio(busy, base, "p99_ms"), 1.1, is_upper=True),
        Goal(f"{WITH}: hooks run, of those accepted", run / accepted, 1.0),
        Goal(f"{OVERLOAD}: hooks run, of those that can", rate / CAPACITY, 0.9),
    ]


def figures(rows: Sequence[Row]) -> list[list[str]]:
    """A line for each load, the median of its repeats."""
    head = [
        *("load, open loop", "req/s", "p50 ms", "p99 ms", "x p50", "x p99"),
        *("accepted", "run", "failed", "dropped", "of what can run"),
    ]
    base = _of(rows, WITHOUT)
    return [head, *(_line(_of(rows, name), base) for name in _LOADS)]


def _of(rows: Sequence[Row], name: str) -> list[Row]:
    return [row for row in rows if row.name == name]


def _line(rows: Sequence[Row], base: Sequence[Row]) -> list[str]:
    loads = [row.load for row in rows]
    return [
        rows[0].name,
        f"{median(load.rate for load in loads):,.0f}",
        f"{median(load.p50_ms for load in loads):.3f}",
        f"{median(load.p99_ms for load in loads):.3f}",
        f"{_ratio(rows, base, 'p50_ms'):.2f}",
        f"{_ratio(rows, base, 'p99_ms'):.2f}",
        *(str(sum(row.hooks[what] for row in rows)) for what in rows[0].hooks),
        f"{median(row.run_per_second for row in rows) / CAPACITY:.2f}",
    ]


def _ratio(rows: Sequence[Row], base: Sequence[Row], what: str) -> float:
    """Each repeat beside the same load without hooks, right before it."""
    ratios: list[float] = [
        getattr(row.load, what) / getattr(other.load, what)
        for row, other in zip(rows, base, strict=True)
    ]
    return median(ratios)


def _measured(contender: Contender, name: str, setup: Setup) -> Row:
    workload, share = _LOADS[name]
    with started(contender, workloads()[workload], setup.cores) as trial:
        _load(trial, _WARM_UP_SECONDS, share * CAPACITY)
        before = _settled(trial)
        load = _load(trial, setup.seconds, share * CAPACITY)
        run = _outcomes(trial)["run"] - before["run"]
        after = _settled(trial)
    hooks = {what: number - before[what] for what, number in after.items()}
    return Row(name, load, hooks, run / load.seconds)


def _load(trial: Trial, seconds: int, rate: float) -> Load:
    command = [sys.executable, "-m", "comparison.openloop", trial.target.url]
    size = [str(trial.workload.connections), str(seconds), str(rate)]
    return generated([*command, *size], trial.target, seconds, trial.folder)


def _settled(trial: Trial) -> Outcomes:
    """What became of hooks, once all are over."""
    end = time.perf_counter() + _SETTLE_SECONDS
    while time.perf_counter() < end:
        found = _outcomes(trial)
        if found["accepted"] == found["run"] + found["failed"] + found["dropped"]:
            return found
        time.sleep(_POLL_SECONDS)
    msg = f"hooks were not over after {_SETTLE_SECONDS} seconds: {json.dumps(found)}"
    raise BenchmarkError(msg)


def _outcomes(trial: Trial) -> Outcomes:
    transport = httpx.HTTPTransport(uds=str(trial.folder / "admin.sock"))
    with httpx.Client(transport=transport) as client:
        text = client.get("http://admin/metrics").text
    return {what: int(float(number)) for what, number in _OUTCOME.findall(text)}
