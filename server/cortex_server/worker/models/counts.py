"""What happens to models, counted: for metrics, and for who asks a replica."""

from threading import Lock
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from cortex_server.worker.metrics import Labelled
from cortex_server.worker.models.versions import Version

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
"""Upper bounds of how long loads take, seconds."""


class Counts:
    """What has happened so far, in this process.

    Args:
        registry: Where the metrics are; unset, prometheus_client's own.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._lock = Lock()
        self._numbers = dict.fromkeys(
            ("loads", "failures", "memory_evictions", "disk_evictions"), 0
        )
        self._seconds = 0.0
        options: dict[str, Any] = {"registry": registry} if registry else {}
        name, labels = "cortex_model_loads", ("model", "outcome")
        loads = Counter(name, "Loads of models", labels, **options)
        self._loads = Labelled(loads, name, labels)
        self._duration = Histogram(
            "cortex_model_load_seconds",
            "How long loads took, downloads included",
            buckets=BUCKETS,
            **options,
        )
        self._evictions = Counter(
            "cortex_model_evictions", "Given up for others", ["where"], **options
        )
        self._held = {
            "memory": _gauges("memory", "livesum", options),
            "disk": _gauges("disk", "livemax", options),
        }

    def loaded(self, version: Version, seconds: float) -> None:
        """A version was loaded in so many seconds."""
        self._loads.labels(version.name, "loaded").inc()
        self._duration.observe(seconds)
        with self._lock:
            self._numbers["loads"] += 1
            self._seconds += seconds

    def failed(self, version: Version) -> None:
        """A version could not be loaded."""
        self._loads.labels(version.name, "failed").inc()
        with self._lock:
            self._numbers["failures"] += 1

    def left_memory(self, _version: Version) -> None:
        """A model was given up to make room for another."""
        self._left("memory")

    def left_disk(self, _name: str) -> None:
        """The same on disk."""
        self._left("disk")

    def holds(self, where: str, sizes: list[int]) -> None:
        """Memory or disk now has models of these sizes."""
        number, total = self._held[where]
        number.set(len(sizes))
        total.set(sum(sizes))

    def snapshot(self) -> dict[str, int | float]:
        """The numbers as plain data."""
        with self._lock:
            return {**self._numbers, "load_seconds": round(self._seconds, 6)}

    def _left(self, where: str) -> None:
        self._evictions.labels(where).inc()
        with self._lock:
            self._numbers[f"{where}_evictions"] += 1


def _gauges(where: str, across: Any, options: dict[str, Any]) -> tuple[Gauge, Gauge]:  # noqa: ANN401  # prometheus_client's
    """Number and bytes; processes share a disk, and have memory of their own."""
    number, size = f"cortex_models_in_{where}", f"cortex_models_{where}_bytes"
    if where == "disk":
        number = "cortex_models_on_disk"
    return (
        Gauge(number, f"Models in {where}", multiprocess_mode=across, **options),
        Gauge(size, f"Bytes of models in {where}", multiprocess_mode=across, **options),
    )
