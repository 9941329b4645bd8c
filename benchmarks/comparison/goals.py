"""What our server is to reach, beside what was measured."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from comparison.cell import Cell
from comparison.results import Results
from comparison.server import FLOOR, OURS
from comparison.workload import BEST_BATCHED_RATE


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound, and the figure that is held against it."""

    what: str
    measured: float
    bound: float
    is_upper: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the figure is on the right side of the bound."""
        if self.is_upper:
            return self.measured <= self.bound
        return self.measured >= self.bound

    def row(self) -> list[str]:
        """What, goal, measured, and whether that is enough."""
        sign = "at most" if self.is_upper else "at least"
        met = "yes" if self.is_met else "no"
        return [self.what, f"{sign} {self.bound:.2f}", f"{self.measured:.2f}", met]


HEAD = ["goal", "to reach", "measured", "met"]

_RATES = {"w1": 3.0, "w2": 3.0, "w5json": 1.15, "w5bin": 0.95}


def goals(results: Results) -> list[Goal]:
    """Those that the workloads of this run say something about."""
    return [
        *_rates(results),
        *_model(results),
        *_batches(results),
        *_processes(results),
        *_starts(results),
    ]


def _rates(results: Results) -> Iterator[Goal]:
    for workload, bound in _RATES.items():
        ratio = results.ratio(OURS, workload, lambda cell: cell.rate)
        if ratio is not None:
            yield Goal(f"{workload}: requests as a multiple of raw Sanic", ratio, bound)


def _model(results: Results) -> Iterator[Goal]:
    ratio = results.ratio(OURS, "w3", lambda cell: cell.cpu_us, FLOOR)
    if ratio is not None:
        what = "w3: processor time as a multiple of the bare protocol"
        yield Goal(what, ratio, 1.05, is_upper=True)


def _batches(results: Results) -> Iterator[Goal]:
    if cells := results.of(OURS, "w4"):
        rate = median(cell.rate for cell in cells)
        what = "w4: requests, as a share of what one batch after the other allows"
        yield Goal(what, rate / BEST_BATCHED_RATE, 0.94)


def _processes(results: Results) -> Iterator[Goal]:
    for several, number, one, bound in (("p2", 2, "p1", 0.85), ("s4", 4, "s1", 0.95)):
        alone = {cell.repeat: cell.rate for cell in results.of(OURS, one)}
        cells = [c for c in results.of(OURS, several) if alone.get(c.repeat)]
        if cells:
            share = median(c.rate / alone[c.repeat] for c in cells) / number
            what = f"{several}: requests, as a share of {number} times those of {one}"
            yield Goal(what, share, bound)


def _starts(results: Results) -> Iterator[Goal]:
    ratio = results.ratio(OURS, "w1", _cold_start)
    if ratio is not None:
        what = "w1: from the start to the first answer as a multiple of raw Sanic"
        yield Goal(what, ratio, 1.5, is_upper=True)


def _cold_start(cell: Cell) -> float:
    return cell.cold_start_seconds
