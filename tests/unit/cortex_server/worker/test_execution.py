import asyncio
import contextvars
import threading
from collections.abc import Iterator

import pytest

from cortex_server.interface import Method
from cortex_server.worker.execution import Threads

FUNCTION = Method("predict", frozenset(), is_async=False)
COROUTINE = Method("predict", frozenset(), is_async=True)
LIMIT = 10


@pytest.fixture
def threads() -> Iterator[Threads]:
    made = Threads(1, "test")
    yield made
    made._pool.shutdown()


def test_a_function_runs_in_a_thread_with_its_arguments(threads: Threads) -> None:
    def predict(payload: int) -> tuple[int, str]:
        return payload, threading.current_thread().name

    value, thread = asyncio.run(threads.run(FUNCTION, predict, {"payload": 1}))

    assert value == 1
    assert thread.startswith("test")


def test_a_coroutine_runs_on_the_loop(threads: Threads) -> None:
    async def predict(payload: int) -> tuple[int, str]:
        return payload, threading.current_thread().name

    value, thread = asyncio.run(threads.run(COROUTINE, predict, {"payload": 1}))

    assert (value, thread) == (1, threading.current_thread().name)


def test_a_thread_sees_the_context_of_its_request(threads: Threads) -> None:
    ids = contextvars.ContextVar("ids", default="none")

    async def request(made: str) -> str:
        ids.set(made)
        return str(await threads.run(FUNCTION, ids.get, {}))

    async def main() -> list[str]:
        return list(await asyncio.gather(request("a"), request("b")))

    assert asyncio.run(main()) == ["a", "b"]
    assert threads.call(ids.get) == "none"


def test_a_call_that_waits_can_be_taken_back(threads: Threads) -> None:
    gate = threading.Event()
    seen: list[str] = []

    async def main() -> None:
        first = asyncio.create_task(threads.run(FUNCTION, gate.wait, {}))
        await asyncio.sleep(0)
        second = asyncio.create_task(threads.run(FUNCTION, seen.append, {}))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        gate.set()
        await first

    asyncio.run(main())
    threads.call(lambda: None)

    assert seen == []


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_what_is_raised_in_a_thread_arrives(
    threads: Threads, error: type[BaseException]
) -> None:
    def predict() -> None:
        raise error

    async def main() -> str:
        try:
            await threads.run(FUNCTION, predict, {})
        except BaseException as raised:  # noqa: BLE001  # any of them
            return type(raised).__name__
        return "nothing"

    assert asyncio.run(main()) == error.__name__


def test_stop_iteration_is_told_and_does_not_hang(threads: Threads) -> None:
    def predict() -> object:
        return next(iter(()))

    async def run() -> None:
        async with asyncio.timeout(LIMIT):
            await threads.run(FUNCTION, predict, {})

    with pytest.raises(RuntimeError, match="the predictor raised StopIteration"):
        asyncio.run(run())
