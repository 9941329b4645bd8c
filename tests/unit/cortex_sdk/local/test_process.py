import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cortex_sdk.local.process import Process, last_words, matching, start_time

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def spawn(tmp_path: Path, *command: str) -> Process:
    return Process.spawn(command or SLEEP, os.environ, tmp_path / "output")


def end(process: Process) -> None:
    process.kill()
    process.exit_status(wait=30)


def test_a_process_is_known_by_pid_and_start(tmp_path: Path) -> None:
    process = spawn(tmp_path)
    try:
        assert Process(process.pid, process.started).is_alive()
        assert not Process(process.pid, process.started - 1).is_alive()
    finally:
        end(process)


def test_a_process_is_a_session_of_its_own(tmp_path: Path) -> None:
    process = spawn(tmp_path)
    try:
        assert os.getsid(process.pid) == process.pid
    finally:
        end(process)


def test_a_zombie_is_not_alive() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.read()  # returns when it has ended; nobody has waited for it
        while start_time(child.pid) is not None:
            """The end of its output comes a moment before its own."""

        assert not Process(child.pid, 0.0).is_alive()


def test_its_end_is_noticed(tmp_path: Path) -> None:
    process = spawn(tmp_path)

    async def kill_and_wait() -> None:
        gone = asyncio.create_task(process.gone())
        await asyncio.sleep(0)
        process.kill()
        await asyncio.wait_for(gone, timeout=30)

    asyncio.run(kill_and_wait())

    assert process.ending() == "was killed by SIGKILL"


def test_a_process_that_is_gone_is_so_at_once() -> None:
    asyncio.run(asyncio.wait_for(Process(2**22 + 1, 0.0).gone(), timeout=30))


def test_children_end_with_it(tmp_path: Path) -> None:
    code = f"import subprocess; subprocess.run({SLEEP!r})"
    process = spawn(tmp_path, sys.executable, "-c", code)
    while not (children := matching(lambda line: line == SLEEP)):
        """It is starting its child."""

    end(process)

    for child in children:
        asyncio.run(asyncio.wait_for(child.gone(), timeout=30))


def test_what_it_prints_is_in_the_file(tmp_path: Path) -> None:
    process = spawn(tmp_path, sys.executable, "-c", "import sys; sys.exit('no luck')")

    assert process.exit_status(wait=30) == 1
    assert process.ending() == "exited with status 1"
    assert last_words(tmp_path / "output") == ": no luck"


def test_no_words_are_none(tmp_path: Path) -> None:
    assert last_words(tmp_path / "none") == ""


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        spawn(tmp_path, str(tmp_path / "none"))


def test_signals_to_nobody_reach_nobody() -> None:
    Process(os.getpid(), 0.0).kill()  # another process has this pid by now: we do
