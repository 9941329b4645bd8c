"""Metrics that processes with user code keep in files, read for a scrape.

The files are those of prometheus_client's multiprocess mode: one per process and kind
of metric, named KIND_PID.db.
"""

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from operator import add
from pathlib import Path
from threading import Lock

from prometheus_client.core import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

_OURS = ("cortex_", "process_")
_COUNTED_THERE = ("cortex_prediction", "cortex_model")
_KEPT: dict[str, Callable[[float, float], float]] = {
    **dict.fromkeys(("counter", "histogram", "summary"), add),
    "gauge_min": min,
    "gauge_max": max,
}
_DEAD = "0"  # no process has this id
_one_at_a_time = Lock()  # scrapes come side by side, and files go


class UserMetrics(Collector):
    """What the user's code counts, with the labels of the replica.

    Args:
        folder: Where the files are.
        labels: Given to every sample.
    """

    def __init__(self, folder: Path, labels: dict[str, str]) -> None:
        self._folder = folder
        self._labels = labels

    def collect(self) -> Iterator[Metric]:
        """All metrics, each once; those of processes that have ended are kept."""
        with _one_at_a_time:
            self._retire()
            metrics = _merged(list(self._folder.glob("*.db")))
        for metric in sorted(filter(_is_free, metrics), key=lambda metric: metric.name):
            yield self._labelled(metric)

    def retire(self) -> None:
        """Make one file of those of dead processes, which would pile up."""
        with _one_at_a_time:
            self._retire()

    def _retire(self) -> None:
        for file in self._folder.glob("*.db"):
            kind, _, pid = file.stem.rpartition("_")
            if pid != _DEAD and not _is_alive(pid):
                with suppress(*_BROKEN):
                    _keep(kind, file, file.with_name(f"{kind}_{_DEAD}.db"))
                file.unlink(missing_ok=True)

    def _labelled(self, metric: Metric) -> Metric:
        labelled = Metric(metric.name, _text(metric.documentation), metric.type)
        labelled.samples = [
            Sample(sample.name, self._labels | self._labels_of(sample), sample.value)
            for sample in metric.samples
        ]
        return labelled

    def _labels_of(self, sample: Sample) -> dict[str, str]:
        """Its own labels; one that is ours is renamed as Prometheus does it."""
        return {
            f"exported_{name}" if name in self._labels else name: _text(value)
            for name, value in sample.labels.items()
        }


def _is_free(metric: Metric) -> bool:
    """Whether its name is none that the replica has for something else."""
    name = metric.name
    return not name.startswith(_OURS) or name.startswith(_COUNTED_THERE)


_BROKEN = (OSError, ValueError, RuntimeError, struct.error)


def _merged(files: list[Path]) -> list[Metric]:
    try:
        return list(MultiProcessCollector.merge(files))
    except _BROKEN:  # one that is being made, or that its process did not finish
        return list(MultiProcessCollector.merge(filter(_is_whole, files)))


def _is_whole(file: Path) -> bool:
    try:
        for _ in MmapedDict.read_all_values_from_file(file):
            pass
    except _BROKEN:
        return False
    return True


def _keep(kind: str, file: Path, dead: Path) -> None:
    """Add what a file says to what is known of the dead; gauges mostly end."""
    join = _KEPT.get(kind)
    if join is None:
        return
    told = list(MmapedDict.read_all_values_from_file(file))
    with closing(MmapedDict(str(dead))) as kept:
        known = {key for key, _, _ in kept.read_all_values()}
        for key, value, time, _ in told:
            is_known = key in known
            joined = join(kept.read_value(key)[0], value) if is_known else value
            kept.write_value(key, joined, time)


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def _text(text: str) -> str:
    """As it can be encoded: one label of the user's must not break the scrape."""
    return text.encode(errors="replace").decode()
