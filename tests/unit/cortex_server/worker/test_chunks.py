import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from cortex_server.worker.answer import Answer
from cortex_server.worker.call import NOTHING
from cortex_server.worker.chunks import AHEAD, chunks_of, explained
from cortex_server.worker.execution import Threads
from cortex_server.worker.stream import BrokenError, Chunks

LIMIT = 10


def chunks(items: Any, threads: Threads | None = None) -> Chunks:
    return chunks_of(items, bytes, threads or Threads(1, "test"), NOTHING)


async def joined(items: Any) -> bytes:
    async with asyncio.timeout(LIMIT):
        return b"".join([chunk async for chunk in chunks(items)])


class Counted:
    """An iterator that waits for nobody, and tells what has become of it."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.made = 0
        self.changed = threading.Event()
        self.closed_by: str | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self.made += 1
        self.changed.set()
        return b"x" * self.size

    def close(self) -> None:
        self.closed_by = threading.current_thread().name
        self.changed.set()


def test_an_iterator_runs_in_a_thread_and_an_async_one_does_not() -> None:
    names = []

    def items() -> Iterator[bytes]:
        names.append(threading.current_thread().name)
        yield b"1"
        yield b"2"

    async def async_items() -> AsyncIterator[bytes]:
        for item in items():
            yield item

    assert asyncio.run(joined(items())) == b"12"
    assert asyncio.run(joined(async_items())) == b"12"
    assert names == ["test-0", threading.current_thread().name]


def test_any_iterator_will_do() -> None:
    assert asyncio.run(joined(map(bytes, [[1], [2]]))) == b"\x01\x02"


@pytest.mark.parametrize("size", [0, 1, AHEAD, 3 * AHEAD])
def test_a_thread_works_ahead_so_far_and_no_further(size: int) -> None:
    items = Counted(size)
    threads = Threads(2, "test")

    async def main() -> int:
        stream = chunks(items, threads)
        await anext(stream)
        await asyncio.to_thread(_until_it_waits, items)
        made = items.made
        await stream.aclose()
        await asyncio.to_thread(_until_it_is_closed, items)
        return made

    made = asyncio.run(asyncio.wait_for(main(), LIMIT))

    most = AHEAD // max(size, 64) + 1  # what comes to nothing takes memory too
    assert made <= 2 * most + 1  # those that have been taken, and as many again
    assert items.closed_by in {"test-0", "test-1"}


def _until_it_waits(items: Counted) -> None:
    while True:
        items.changed.clear()
        if not items.changed.wait(0.2):
            return


def _until_it_is_closed(items: Counted) -> None:
    while items.closed_by is None:
        items.changed.wait(LIMIT)


def test_what_is_raised_in_either_place_breaks_the_stream_off() -> None:
    def items() -> Iterator[bytes]:
        yield b"1"
        raise KeyError

    async def async_items() -> AsyncIterator[bytes]:
        yield b"1"
        raise asyncio.CancelledError

    async def main(source: Any) -> tuple[bytes, type[BaseException]]:
        seen: list[BaseException] = []

        def explain(error: BaseException) -> Answer:
            seen.append(error)
            return Answer(b"", status=500)

        stream = explained(chunks(source), explain)
        came = await anext(stream)
        with pytest.raises(BrokenError) as broken:
            await anext(stream)
        assert broken.value.answer.status == 500
        return came, type(seen[0])

    assert asyncio.run(main(items())) == (b"1", KeyError)
    assert asyncio.run(main(async_items())) == (b"1", asyncio.CancelledError)


def test_whoever_ignores_that_it_is_closed_is_told_about() -> None:
    async def stubborn() -> AsyncIterator[bytes]:
        while True:
            try:
                yield b"1"
            except GeneratorExit:
                yield b"2"

    async def main() -> str:
        stream = explained(
            chunks(stubborn()), lambda error: Answer(str(error).encode())
        )
        await anext(stream)
        with pytest.raises(BrokenError) as broken:
            await stream.aclose()
        return broken.value.answer.body.decode()

    assert "GeneratorExit" in asyncio.run(main())
