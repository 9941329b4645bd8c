import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from unit.cortex_server.worker.models.declared import version

from cortex_server.worker.models.holding import holder_of_request, holding
from cortex_server.worker.models.memory import Entry, Limits, Memory


class Used:
    """A memory, and how many use its one model."""

    def __init__(self) -> None:
        self.memory = Memory(Limits())
        self.entry = Entry(version("a"), "a")
        self.memory.put(version("a"), lambda _version: self.entry)

    def use(self) -> int:
        assert self.memory.peek(("a", 1), holder_of_request()) is self.entry
        return self.entry.users


@pytest.fixture
def used() -> Used:
    return Used()


def test_a_function_holds_what_it_uses_until_it_returns(used: Used) -> None:
    def predict(payload: int) -> int:
        return used.use() + payload

    assert holding(predict, used.memory)(payload=10) == 11
    assert used.entry.users == 0
    assert holder_of_request() is None


def test_a_function_that_raises_holds_nothing_any_more(used: Used) -> None:
    def predict() -> None:
        used.use()
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        holding(predict, used.memory)()

    assert used.entry.users == 0


def test_what_is_used_twice_is_held_once(used: Used) -> None:
    def predict() -> list[int]:
        return [used.use(), used.use()]

    assert holding(predict, used.memory)() == [1, 1]


def test_a_coroutine_holds_what_it_uses_until_it_ends(used: Used) -> None:
    async def predict() -> int:
        used.use()
        await asyncio.sleep(0)
        return used.entry.users

    assert asyncio.run(holding(predict, used.memory)()) == 1
    assert used.entry.users == 0


def test_a_generator_holds_what_it_uses_until_it_is_exhausted(used: Used) -> None:
    def predict() -> Iterator[int]:
        yield used.use()
        yield used.use()

    steps = holding(predict, used.memory)()

    assert next(steps) == 1
    assert used.entry.users == 1
    assert holder_of_request() is None
    assert list(steps) == [1]
    assert used.entry.users == 0


def test_a_generator_that_is_closed_holds_nothing_any_more(used: Used) -> None:
    ended = []

    def predict() -> Iterator[int]:
        try:
            yield used.use()
            yield used.use()
        finally:
            ended.append(True)

    steps = holding(predict, used.memory)()
    next(steps)
    steps.close()

    assert used.entry.users == 0
    assert ended == [True]


def test_an_async_generator_holds_what_it_uses_until_it_ends(used: Used) -> None:
    async def predict() -> AsyncIterator[int]:
        yield used.use()
        await asyncio.sleep(0)
        yield used.use()

    async def read() -> list[int]:
        steps = holding(predict, used.memory)()
        return [await anext(steps), used.entry.users, *[item async for item in steps]]

    assert asyncio.run(read()) == [1, 1, 1]
    assert used.entry.users == 0
