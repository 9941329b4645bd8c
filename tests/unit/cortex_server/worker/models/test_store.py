import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sanic.exceptions import NotFound

from cortex_server.manifest import Models as Declared
from cortex_server.worker.models.catalog import Catalog
from cortex_server.worker.models.counts import Counts
from cortex_server.worker.models.disk import Disk
from cortex_server.worker.models.errors import LoadError
from cortex_server.worker.models.memory import Limits, Memory
from cortex_server.worker.models.sources import Sources
from cortex_server.worker.models.store import Models

LIMIT = 20.0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Loads:
    """Loads the text of a model's file, and fails where it says "broken"."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []

    def __call__(self, path: Path, name: str, version: int) -> str:
        self.seen.append((name, version))
        text = (path / "text").read_text()
        if text == "broken":
            raise ValueError(text)
        return text


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def loads() -> Loads:
    return Loads()


def write(folder: Path, version: str, text: str) -> None:
    (folder / version).mkdir(parents=True, exist_ok=True)
    (folder / version / "text").write_text(text)


def models_in(folder: Path, clock: Clock, limits: Limits | None = None) -> Models:
    sources, counts = Sources(Declared(dir=str(folder))), Counts(CollectorRegistry())
    memory = Memory(limits or Limits(), counts.left_memory)
    disk = Disk(folder / "kept", Limits())
    models = Models(Catalog(), memory, disk, sources, counts, clock)
    models.catalog.start(sources.look())
    return models


def test_a_model_is_asked_for_by_name_and_version(
    tmp_path: Path, clock: Clock, loads: Loads
) -> None:
    write(tmp_path / "iris", "1", "one")
    write(tmp_path / "iris", "2", "two")
    models = models_in(tmp_path, clock)
    models.load_with(loads)

    assert models.get() == models.get("iris") == models.get("iris", 2) == "two"
    assert models.get("iris", "1") == "one"
    assert loads.seen == [("iris", 2), ("iris", 1)]
    with pytest.raises(NotFound):
        models.get("rose")


def test_coroutines_await_a_model(tmp_path: Path, clock: Clock, loads: Loads) -> None:
    write(tmp_path / "iris", "1", "one")
    models = models_in(tmp_path, clock)
    threads: list[str] = []

    def load(path: Path, name: str, version: int) -> str:
        threads.append(threading.current_thread().name)
        return loads(path, name, version)

    models.load_with(load)

    assert [asyncio.run(models.aget()) for _ in range(2)] == ["one", "one"]
    assert [name.partition("_")[0] for name in threads] == ["load-model"]


def test_before_the_predictor_is_there_no_model_is(
    tmp_path: Path, clock: Clock
) -> None:
    write(tmp_path / "iris", "1", "one")

    with pytest.raises(LoadError) as caught:
        models_in(tmp_path, clock).get()

    assert "when `__init__` has returned" in str(caught.value.__cause__)


def test_what_failed_is_not_tried_again_at_once(
    tmp_path: Path, clock: Clock, loads: Loads
) -> None:
    write(tmp_path / "iris", "1", "broken")
    models = models_in(tmp_path, clock)
    models.load_with(loads)

    def ask() -> None:
        with pytest.raises(LoadError, match="cannot be loaded; the log says why"):
            models.get()

    ask()
    ask()
    assert len(loads.seen) == 1
    clock.now = 5.0
    ask()
    assert len(loads.seen) == 2
    write(tmp_path / "iris", "1", "repaired")
    clock.now = 15.0
    assert models.get() == "repaired"


def test_latest_is_the_version_below_while_the_highest_is_broken(
    tmp_path: Path, clock: Clock, loads: Loads
) -> None:
    write(tmp_path / "iris", "1", "one")
    write(tmp_path / "iris", "2", "broken")
    models = models_in(tmp_path, clock)
    models.load_with(loads)

    assert [models.get() for _ in range(3)] == ["one"] * 3
    assert loads.seen == [("iris", 2), ("iris", 1)]
    with pytest.raises(LoadError):
        models.get("iris", 2)


def test_a_snapshot_is_plain_data_about_everything(
    tmp_path: Path, clock: Clock, loads: Loads
) -> None:
    write(tmp_path / "iris", "1", "one")
    write(tmp_path / "iris", "2", "broken")
    write(tmp_path / "rose", "7", "seven")
    models = models_in(tmp_path, clock, Limits(1))

    def load(path: Path, name: str, version: int) -> Any:
        clock.now += 2.0
        return loads(path, name, version)

    models.load_with(load)
    models.get("iris")
    models.get("rose")

    assert models.snapshot() == {
        "models": [
            {
                "name": "iris",
                "versions": [1, 2],
                "latest": 1,
                "in_memory": [],
                "failed": [2],
            },
            {
                "name": "rose",
                "versions": [7],
                "latest": 7,
                "in_memory": [7],
                "failed": [],
            },
        ],
        "memory": {"number": 1, "bytes": 5},
        "disk": {"number": 0, "bytes": 0},
        "counts": {
            "loads": 2,
            "failures": 1,
            "memory_evictions": 1,
            "disk_evictions": 0,
            "load_seconds": 4.0,
        },
    }
