"""The machine that is measured on: its cores, and who else uses it."""

import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

import psutil

FOREIGN_LIMIT = 0.1
"""Share of a core that others may use before figures are doubtful."""
_LOOK_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Cores:
    """One core for the server, another for the load."""

    server: int | None
    load: int | None
    is_shared: bool = False
    """Whether the server may use the core of the load, too."""

    @classmethod
    def choose(cls) -> Self:
        """The first two cores of this process; none where they cannot be chosen."""
        allowed = (
            psutil.Process().cpu_affinity() if hasattr(os, "sched_getaffinity") else []
        )
        return cls(*allowed[:2]) if len(allowed) > 1 else cls(None, None)

    @contextmanager
    def for_server(self) -> Iterator[None]:
        """Start processes where the server belongs, then go back to the load's."""
        pin(self.server, *([self.load] if self.is_shared else []))
        try:
            yield
        finally:
            pin(self.load)


def pin(*cores: int | None) -> None:
    """Keep this process, and those it starts from now on, on these cores."""
    chosen = {core for core in cores if core is not None}
    if chosen:
        os.sched_setaffinity(0, chosen)


def describe() -> dict[str, str | int | None]:
    """What a reader needs to know about this machine."""
    return {
        "system": platform.system(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }


def busy_seconds() -> float:
    """Seconds that all cores together have been busy, whoever used them."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0)
    # Linux counts a guest's time in user time as well.
    guest = getattr(times, "guest", 0) + getattr(times, "guest_nice", 0)
    return float(sum(times) - idle - guest)


def own_seconds() -> float:
    """Seconds of processor that this process and those it waited for have used."""
    times = os.times()
    return sum(times[:4])


def warnings(cores: Cores) -> list[str]:
    """What makes this machine, right now, a bad place to measure."""
    found = []
    if cores.server is None:
        found.append("cores cannot be chosen here: server and load share all of them")
    busy, start = busy_seconds() - own_seconds(), time.perf_counter()
    time.sleep(_LOOK_SECONDS)
    foreign = busy_seconds() - own_seconds() - busy
    share = foreign / (time.perf_counter() - start)
    if share > FOREIGN_LIMIT:
        found.append(f"others use {share:.0%} of a core right now")
    return found
