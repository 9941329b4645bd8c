import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from cortex_server import board as board_module
from cortex_server.board import Board
from cortex_server.interface import Method
from cortex_server.worker.call import Call
from cortex_server.worker.hooks import QUEUE, WORKERS, Hooks

CALL = Call(b"", b"", [])
FULL = WORKERS + QUEUE
LIMIT = 10


@pytest.fixture
def board() -> Board:
    fd = board_module.create()
    board = Board(fd)
    os.close(fd)
    return board


def hooks_with(function: Callable[..., Any], board: Board) -> Hooks:
    is_async = asyncio.iscoroutinefunction(function)
    return Hooks(Method("post_predict", frozenset(), is_async), function, board)


def test_an_accepted_call_runs_with_its_arguments(board: Board) -> None:
    seen: list[object] = []

    async def main() -> None:
        hooks = hooks_with(lambda **given: seen.append(given), board)
        hooks.submit(CALL, {"response": 1})
        assert seen == []  # it never runs before the caller goes on
        await hooks.drain(LIMIT)

    asyncio.run(main())

    assert seen == [{"response": 1}]
    assert board.hooks == {"accepted": 1, "run": 1, "failed": 0, "dropped": 0}


def test_no_more_than_a_few_run_at_a_time(board: Board) -> None:
    running, most = 0, 0

    async def hook() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    async def main() -> None:
        hooks = hooks_with(hook, board)
        for _ in range(50):
            hooks.submit(CALL, {})
        await hooks.drain(LIMIT)

    asyncio.run(main())

    assert most == WORKERS
    assert board.hooks["run"] == 50


def test_when_it_is_full_the_newest_is_dropped(board: Board) -> None:
    seen: list[int] = []

    async def main() -> None:
        gate = asyncio.Event()

        async def hook(number: int) -> None:
            await gate.wait()
            seen.append(number)

        hooks = hooks_with(hook, board)
        for number in range(FULL + 3):
            hooks.submit(CALL, {"number": number})
        gate.set()
        await hooks.drain(LIMIT)
        hooks.submit(CALL, {"number": -1})  # there is room again
        await hooks.drain(LIMIT)

    asyncio.run(main())

    assert seen == [*range(FULL), -1]
    expected = {"accepted": FULL + 4, "run": FULL + 1, "failed": 0, "dropped": 3}
    assert board.hooks == expected


@pytest.mark.parametrize(
    "error",
    [ValueError, SystemExit, KeyboardInterrupt, StopIteration, BaseException],
)
def test_failures_are_counted_and_end_nothing_else(
    board: Board, error: type[BaseException]
) -> None:
    def hook(*, fails: bool) -> None:
        if fails:
            raise error

    async def main() -> None:
        hooks = hooks_with(hook, board)
        for fails in (True, False, True):
            hooks.submit(CALL, {"fails": fails})
        await hooks.drain(LIMIT)

    asyncio.run(main())

    assert board.hooks == {"accepted": 3, "run": 1, "failed": 2, "dropped": 0}


def test_the_end_waits_for_what_was_accepted(board: Board) -> None:
    async def main() -> None:
        gate = asyncio.Event()
        hooks = hooks_with(gate.wait, board)
        hooks.submit(CALL, {})
        drained = asyncio.create_task(hooks.drain(LIMIT))
        await asyncio.sleep(0)
        assert not drained.done()
        gate.set()
        await drained

    asyncio.run(main())

    assert board.hooks["run"] == 1


def test_what_takes_too_long_is_counted_as_dropped(board: Board) -> None:
    async def main() -> None:
        never = asyncio.Event()
        hooks = hooks_with(never.wait, board)
        for _ in range(WORKERS + 2):
            hooks.submit(CALL, {})
        await hooks.drain(0)

    asyncio.run(main())

    assert board.hooks["accepted"] == WORKERS + 2
    assert board.hooks["dropped"] == WORKERS + 2
    assert board.hooks["run"] == 0


def test_a_function_runs_beside_the_loop(board: Board) -> None:
    names: list[str] = []

    async def main() -> None:
        hooks = hooks_with(lambda: names.append(threading.current_thread().name), board)
        hooks.submit(CALL, {})
        await hooks.drain(LIMIT)

    asyncio.run(main())

    assert names[0].startswith("post-predict")


def test_with_nothing_accepted_the_end_is_at_once(board: Board) -> None:
    asyncio.run(hooks_with(print, board).drain(LIMIT))

    assert sum(board.hooks.values()) == 0
