"""Several stacks at once, and a notebook."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from e2e.engine.programs import naps

from cortex_sdk.kubernetes.engine import Engine

STACKS = ["a", "b", "c", "d"]
pytestmark = pytest.mark.timeout(600)


def quiet(_: str) -> None:
    pass


def test_threads_work_on_stacks_at_the_same_time(
    engine: Engine, tmp_path: Path
) -> None:
    def up(stack: str) -> bool:
        """None ends before all have begun."""
        begun = [tmp_path / f"{other}.begun" for other in STACKS]
        nap = {"path": tmp_path / stack, "until": [str(path) for path in begun]}
        return engine.up(stack, naps(nap=nap), quiet).changed

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(up, STACKS)) == [True] * 4

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
    kernel, client = manager.start_new_kernel(
        startup_timeout=300, cwd=str(Path(__file__).parents[2])
    )
    said: list[str] = []

    def show(message: dict[str, dict[str, str]]) -> None:
        content = message["content"]
        said.append(content.get("text", "") + "".join(content.get("traceback", "")))

    try:
        cell = CELL.format(home=str(home), path=str(tmp_path / "file"))
        reply = client.execute_interactive(cell, timeout=300, output_hook=show)
        assert reply["content"]["status"] == "ok", said
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)

    assert "".join(said).splitlines()[-1] == "True False"
    assert (tmp_path / "file").exists()
