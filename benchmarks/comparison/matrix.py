"""All cells in turn: every server under a workload, then the next workload."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from comparison.cell import Cell, Setup, check, measure
from comparison.environment import Contender
from comparison.failure import BenchmarkError
from comparison.machine import Cores
from comparison.server import OURS, Server
from comparison.workload import Workload


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the matrix a cell is."""

    contender: Contender
    workload: Workload
    repeat: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """What is measured, and how often."""

    contenders: list[Contender]
    workloads: list[Workload]
    repeats: int

    def places(self) -> Iterator[Place]:
        """All cells once, then all again."""
        for repeat in range(1, self.repeats + 1):
            for workload in self.workloads:
                for contender in self.contenders:
                    if _answers(contender.server, workload):
                        yield Place(contender, workload, repeat)

    def measure(self, setup: Setup) -> tuple[list[Cell], list[str]]:
        """Measure every cell; the cells, and why others are missing."""
        cells = []

        def act(place: Place) -> str:
            cell = measure(place.contender, place.workload, place.repeat, setup)
            cells.append(cell)
            return f"{cell.rate:,.0f} requests in a second"

        failures = self._visit(act)
        return cells, failures

    def check(self, cores: Cores) -> list[str]:
        """See the answer of every server to every workload; what failed."""

        def act(place: Place) -> str:
            seconds = check(place.contender, place.workload, cores)
            return f"answers after {seconds:.2f} seconds"

        return self._visit(act)

    def _visit(self, act: Callable[[Place], str]) -> list[str]:
        failures, places = [], list(self.places())
        for number, place in enumerate(places, 1):
            name = f"{place.workload.name} {place.contender.server.name}"
            try:
                outcome = act(place)
            except BenchmarkError as error:
                outcome = f"failed: {error}"
                failures.append(f"{name}, repeat {place.repeat}: {error}")
            print(f"{number}/{len(places)} {name}: {outcome}", file=sys.stderr)
        return failures


def _answers(server: Server, workload: Workload) -> bool:
    is_asked = server.name == OURS or not workload.is_ours
    return is_asked and workload.name not in server.lacks
