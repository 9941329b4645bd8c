import asyncio
import threading
from typing import Any

import pytest

from cortex_server.worker.call import Call, current
from cortex_server.worker.execution import Function, Threads, Work, on_loop

LIMIT = 10


def call_named(name: str) -> Call:
    return Call(b"", b"", [(b"x-request-id", name.encode())])


class Waiter:
    """Takes what became of a piece of work, and waits for it."""

    def __init__(self, name: str = "a", **arguments: Any) -> None:
        self._outcome: asyncio.Future[tuple[Any, BaseException | None]]
        self._outcome = asyncio.get_running_loop().create_future()
        self.work = Work(call_named(name), arguments, self._done)

    def _done(self, result: Any, error: BaseException | None) -> None:
        self._outcome.set_result((result, error))

    async def outcome(self) -> tuple[Any, BaseException | None]:
        async with asyncio.timeout(LIMIT):
            return await self._outcome


@pytest.fixture
def threads() -> Threads:
    return Threads(1, "test")


def test_a_function_runs_in_a_thread_with_its_arguments(threads: Threads) -> None:
    def predict(payload: int) -> tuple[int, str]:
        return payload, threading.current_thread().name

    async def main() -> Any:
        waiter = Waiter(payload=1)
        threads.submit(predict, waiter.work)
        return await waiter.outcome()

    (value, thread), error = asyncio.run(main())

    assert (value, error) == (1, None)
    assert thread.startswith("test")


def test_a_coroutine_runs_on_the_loop() -> None:
    async def predict(payload: int) -> tuple[int, str]:
        return payload, threading.current_thread().name

    async def main() -> Any:
        waiter = Waiter(payload=1)
        on_loop(predict, waiter.work)
        return await waiter.outcome()

    assert asyncio.run(main()) == ((1, threading.current_thread().name), None)


@pytest.mark.parametrize("is_async", [True, False])
def test_it_knows_for_which_call_it_works(threads: Threads, *, is_async: bool) -> None:
    def here() -> str:
        call = current.get()
        return call.request_id if call else "none"

    async def there() -> str:
        await asyncio.sleep(0)
        return here()

    async def main() -> list[Any]:
        waiters = [Waiter("a"), Waiter("b")]
        for waiter in waiters:
            if is_async:
                on_loop(there, waiter.work)
            else:
                threads.submit(here, waiter.work)
        return [(await waiter.outcome())[0] for waiter in waiters]

    assert asyncio.run(main()) == ["a", "b"]


def test_a_call_that_waits_can_be_taken_back(threads: Threads) -> None:
    gate = threading.Event()
    seen: list[str] = []

    async def main() -> None:
        first, second, third = Waiter(), Waiter(), Waiter()
        threads.submit(gate.wait, first.work)
        threads.submit(lambda: seen.append("second"), second.work)
        threads.submit(lambda: seen.append("third"), third.work)
        second.work.give_up()
        gate.set()
        await first.outcome()
        await third.outcome()

    asyncio.run(main())

    assert seen == ["third"]


def test_a_coroutine_that_nobody_waits_for_is_cancelled() -> None:
    ended: list[str] = []

    async def predict() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    async def main() -> None:
        waiter = Waiter()
        on_loop(predict, waiter.work)
        await asyncio.sleep(0)
        waiter.work.give_up()
        await asyncio.sleep(0)

    asyncio.run(main())

    assert ended == ["cancelled"]


async def _raise(error: type[BaseException]) -> None:
    raise error


def _raise_in_thread(error: type[BaseException]) -> None:
    raise error


@pytest.mark.parametrize("error", [ValueError, SystemExit, StopIteration])
def test_what_is_raised_in_a_thread_arrives(
    threads: Threads, error: type[BaseException]
) -> None:
    async def main() -> BaseException | None:
        waiter = Waiter(error=error)
        threads.submit(_raise_in_thread, waiter.work)
        return (await waiter.outcome())[1]

    assert type(asyncio.run(main())) is error


def test_what_is_raised_on_the_loop_arrives() -> None:
    async def main() -> BaseException | None:
        waiter = Waiter(error=ValueError)
        on_loop(_raise, waiter.work)
        return (await waiter.outcome())[1]

    assert type(asyncio.run(main())) is ValueError


def test_a_function_can_be_called_without_a_loop(threads: Threads) -> None:
    name: Function = threading.current_thread

    assert threads.call(name).name.startswith("test")
    with pytest.raises(ZeroDivisionError):
        threads.call(divmod_by, zero=0)


def divmod_by(zero: int) -> float:
    return 1 / zero


def test_it_says_how_long_the_function_took(threads: Threads) -> None:
    async def main() -> float:
        waiter = Waiter()
        threads.submit(lambda: threading.Event().wait(0.02), waiter.work)
        await waiter.outcome()
        return waiter.work.seconds

    assert asyncio.run(main()) >= 0.02
