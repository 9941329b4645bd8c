"""Several stacks at once, and a notebook."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from e2e.engine.programs import naps

from cortex_sdk.kubernetes.engine import Engine

STACKS = ["a", "b", "c", "d"]


def quiet(_: str) -> None:
    pass


def test_threads_work_on_stacks_at_the_same_time(
    engine: Engine, tmp_path: Path
) -> None:
    def up(stack: str) -> bool:
        path = tmp_path / stack
        return engine.up(stack, naps(nap={"path": path, "seconds": 2}), quiet).changed

    began = time.monotonic()
    with ThreadPoolExecutor() as pool:
        assert list(pool.map(up, STACKS)) == [True] * 4
    assert time.monotonic() - began < 60

    assert engine.stacks() == STACKS
    assert all((tmp_path / stack).exists() for stack in STACKS)


CELL = """
import asyncio
assert asyncio.get_running_loop()
from pathlib import Path
from e2e.engine.programs import naps
from cortex_sdk.kubernetes.engine import Engine, EngineSettings
engine = Engine(EngineSettings(home=Path({home!r})))
outcome = engine.up("iris", naps(one={{"path": {path!r}}}), print)
print(outcome.changed, engine.up("iris", naps(one={{"path": {path!r}}}), print).changed)
"""


def test_a_notebook_cell_brings_a_stack_up(home: Path, tmp_path: Path) -> None:
    manager = pytest.importorskip("jupyter_client.manager")
    kernel, client = manager.start_new_kernel(cwd=str(Path(__file__).parents[2]))
    said: list[str] = []

    def show(message: dict[str, dict[str, str]]) -> None:
        content = message["content"]
        said.append(content.get("text", "") + "".join(content.get("traceback", "")))

    try:
        cell = CELL.format(home=str(home), path=str(tmp_path / "file"))
        reply = client.execute_interactive(cell, timeout=90, output_hook=show)
        assert reply["content"]["status"] == "ok", said
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)

    assert "".join(said).splitlines()[-1] == "True False"
    assert (tmp_path / "file").exists()
