"""Runs that end early, by Ctrl-C or by force, and what the next one makes of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from e2e.engine import programs
from e2e.engine.programs import naps

from cortex_sdk.kubernetes.engine import Engine

TESTS = Path(__file__).parents[2]
WAITING = "waiting for another change to finish"
pytestmark = pytest.mark.timeout(600)


class Bringing:
    """A process that brings a stack up, in a process group like a shell's job."""

    def __init__(self, home: Path, stack: str, of_name: dict[str, Any]) -> None:
        text = json.dumps(of_name, default=str)
        self.process = subprocess.Popen(
            [sys.executable, programs.__file__, str(home), stack, text],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": str(TESTS)},
            process_group=0,
        )

    def press_ctrl_c(self) -> None:
        """What a terminal does: the whole foreground group gets it."""
        os.killpg(self.process.pid, signal.SIGINT)

    def cli(self) -> int:
        """The pid of its Pulumi."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        every = children.parent.parent.glob("*/children")
        return int(
            next(text for path in every if (text := path.read_text())).split()[0]
        )

    def end(self) -> tuple[int, list[str]]:
        """Its exit code and what it said."""
        said, _ = self.process.communicate()
        return self.process.returncode, said.splitlines()


@contextmanager
def bringing(home: Path, stack: str, **of_name: Any) -> Iterator[Bringing]:
    run = Bringing(home, stack, of_name)
    try:
        yield run
    finally:
        with suppress(ProcessLookupError), run.process:
            os.killpg(run.process.pid, signal.SIGKILL)


def wait_for(path: Path, run: Bringing) -> None:
    """Until the file is there; pytest's own limit ends a wait in vain."""
    while not path.exists():
        assert run.process.poll() is None, run.end()
        time.sleep(0.02)


def quiet(_: str) -> None:
    pass


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.fixture
def begun(file: Path) -> Path:
    return Path(f"{file}.begun")


def test_ctrl_c_stops_in_good_order_and_the_next_run_goes_on(
    engine: Engine, home: Path, file: Path, begun: Path
) -> None:
    with bringing(home, "iris", one={"path": file, "seconds": 60}) as run:
        wait_for(begun, run)
        run.press_ctrl_c()
        code, said = run.end()

    assert code == 130
    assert said[-3:] == [
        "stopping: what has begun is finished first (Ctrl-C again to stop at once)",
        "stopped; the next run goes on from here",
        "interrupted",
    ]
    assert not list((home / "state/.pulumi/locks").rglob("*.json"))
    assert engine.up("iris", naps(one={"path": file}), quiet).changed
    assert file.exists()


def test_ctrl_c_again_stops_at_once(home: Path, file: Path, begun: Path) -> None:
    with bringing(home, "iris", one={"path": file, "seconds": 60}) as run:
        wait_for(begun, run)
        run.press_ctrl_c()
        time.sleep(0.3)
        run.press_ctrl_c()
        code, _ = run.end()

    assert code == 130


def test_a_killed_caller_is_survived_by_its_cli(
    engine: Engine, home: Path, file: Path, begun: Path
) -> None:
    until = file.with_name("until")
    with bringing(home, "iris", one={"path": file, "until": [str(until)]}) as run:
        wait_for(begun, run)
        run.process.kill()
        run.process.wait()

    def let_go(line: str) -> None:
        if line.startswith(WAITING):
            until.touch()

    outcome = engine.up("iris", naps(one={"path": file, "until": [str(until)]}), let_go)

    assert until.exists()
    assert not outcome.changed
    assert outcome.resources == 1
    assert file.exists()


def test_a_killed_cli_is_told_and_repaired(
    engine: Engine, home: Path, file: Path, begun: Path
) -> None:
    with bringing(home, "iris", one={"path": file, "seconds": 60}) as run:
        wait_for(begun, run)
        os.kill(run.cli(), signal.SIGKILL)
        code, said = run.end()
    lines: list[str] = []

    outcome = engine.up("iris", naps(one={"path": file}), lines.append)

    assert code == 1
    assert "ended from outside (signal 9)" in said[-1]
    assert lines[0] == "removing the lock of a run that was killed"
    assert outcome.resources == 1
    assert file.exists()
    state = (home / "state/.pulumi/stacks/cortex/iris.json").read_text()
    assert not json.loads(state)["checkpoint"]["latest"].get("pending_operations")


def test_two_processes_at_one_stack_take_turns(home: Path, tmp_path: Path) -> None:
    file, until = tmp_path / "file", tmp_path / "until"
    nap = {"path": file, "until": [str(until)]}
    with bringing(home, "iris", one=nap) as earlier:
        wait_for(Path(f"{file}.begun"), earlier)
        with bringing(home, "iris", one=nap) as later:
            assert later.process.stdout is not None
            assert later.process.stdout.readline().startswith(WAITING)
            until.touch()
            ends = earlier.end(), later.end()

    assert [code for code, _ in ends] == [0, 0]
    assert [said[-1] for _, said in ends] == ["done: 1 changes", "done: 0 changes"]
