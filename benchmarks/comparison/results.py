"""Everything that a run has measured, and what can be said about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from comparison.cell import Cell
from comparison.machine import FOREIGN_LIMIT
from comparison.workload import Workload

Value = Callable[[Cell], float]
_SATURATED = 0.9


@dataclass(frozen=True, slots=True)
class Results:
    """Cells, the order in which they are shown, and how they were made."""

    cells: Sequence[Cell]
    servers: Sequence[str]
    workloads: Sequence[Workload]
    reference: str
    facts: dict[str, Any]

    def of(self, server: str, workload: str) -> list[Cell]:
        """The repeats of one cell."""
        wanted = (server, workload)
        return [cell for cell in self.cells if (cell.server, cell.workload) == wanted]

    def ratio(
        self, server: str, workload: str, value: Value, base: str | None = None
    ) -> float | None:
        """Median over the repeats of a value as a multiple of the reference's.

        Each repeat is compared with the reference in the same repeat, so that a
        machine that gets slower meanwhile does not count.
        """
        bases = {c.repeat: value(c) for c in self.of(base or self.reference, workload)}
        found = [
            value(cell) / bases[cell.repeat]
            for cell in self.of(server, workload)
            if bases.get(cell.repeat)
        ]
        return median(found) if found else None

    def warnings(self) -> list[str]:
        """What makes figures doubtful, one sentence each."""
        found = self._disturbance()
        for cell in self.cells:
            where = f"{cell.workload} {cell.server}, repeat {cell.repeat}"
            if cell.load_share > _SATURATED:
                found.append(f"{where}: the load generator was the limit")
            if cell.errors:
                found.append(f"{where}: {cell.errors} requests failed")
        return found

    def _disturbance(self) -> list[str]:
        shares = [cell.foreign_share for cell in self.cells]
        disturbed = [share for share in shares if share > FOREIGN_LIMIT]
        if not disturbed:
            return []
        during = f"{len(disturbed)} of {len(shares)} cells"
        worst = f"{max(disturbed):.0%} of a core"
        return [f"others used the machine during {during}, up to {worst}"]
