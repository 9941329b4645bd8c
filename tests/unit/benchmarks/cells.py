"""Cells as a run would make them, without a run."""

from typing import Any

from comparison.cell import Cell
from comparison.results import Results
from comparison.workload import workloads

FACTS = {
    "date": "2026-01-02",
    "machine": {"system": "Linux", "cores": 2, "python": "3.11.7"},
    "load": "wrk",
    "repeats": 2,
    "seconds": 5,
    "versions": {"sanic": "25.12"},
}
USUAL: dict[str, Any] = {
    "repeat": 1,
    "cold_start_seconds": 0.5,
    "rate": 1000.0,
    "p50_ms": 1.0,
    "p99_ms": 2.0,
    "errors": 0,
    "cpu_us": 100.0,
    "rss_mib": 50.0,
    "hooks_run": None,
    "load_share": 0.2,
    "foreign_share": 0.0,
}


def cell(server: str, workload: str = "w1", **changed: Any) -> Cell:
    return Cell(server=server, workload=workload, **{**USUAL, **changed})


def results(*cells: Cell, workload: str = "w1") -> Results:
    servers = list(dict.fromkeys(cell.server for cell in cells))
    return Results(cells, servers, [workloads()[workload]], "sanic", FACTS)
