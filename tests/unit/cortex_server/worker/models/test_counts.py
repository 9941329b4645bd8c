import pytest
from prometheus_client import CollectorRegistry
from unit.cortex_server.worker.models.declared import version

from cortex_server.worker.models.counts import Counts


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_loads_are_counted_by_model_and_outcome(registry: CollectorRegistry) -> None:
    counts = Counts(registry)

    counts.loaded(version("iris"), 2.0)
    counts.loaded(version("iris", 2), 1.0)
    counts.failed(version("rose"))

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    loads = "cortex_model_loads_total"
    assert value(loads, model="iris", outcome="loaded") == 2
    assert value(loads, model="rose", outcome="failed") == 1
    assert value("cortex_model_load_seconds_sum") == 3.0
    assert value("cortex_model_load_seconds_bucket", le="1.0") == 1
    assert counts.snapshot() == {
        "loads": 2,
        "failures": 1,
        "memory_evictions": 0,
        "disk_evictions": 0,
        "load_seconds": 3.0,
    }


def test_evictions_and_what_is_held_are_counted(registry: CollectorRegistry) -> None:
    counts = Counts(registry)

    counts.left_memory(version("iris"))
    counts.left_disk("iris-1-abc")
    counts.left_disk("rose-1-abc")
    counts.holds("memory", [1, 2])
    counts.holds("disk", [5])

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    evictions = "cortex_model_evictions_total"
    assert value(evictions, where="memory") == 1
    assert value(evictions, where="disk") == 2
    assert value("cortex_models_in_memory") == 2
    assert value("cortex_models_memory_bytes") == 3
    assert value("cortex_models_on_disk") == 1
    assert value("cortex_models_disk_bytes") == 5
