import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from cortex_server.worker.answer import Answer, Outlet
from cortex_server.worker.call import NOTHING
from cortex_server.worker.stream import BrokenError, Chunks, Stream

GONE = 499


class Out:
    """Remembers what it got."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.is_whole: bool | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def send(self, chunk: bytes) -> None:
        self.got.append(chunk)
        await self.gate.wait()

    def end(self, last: bytes = b"", *, is_whole: bool) -> None:
        self.got.append(last)
        self.is_whole = is_whole


class Recipient:
    """A prediction that can be answered once."""

    def __init__(self, outlet: Outlet | None) -> None:
        self.call = NOTHING
        self.outlet = outlet
        self.answers: list[Answer] = []
        self.finished: list[int] = []
        self.stream: Any = None

    def end(self, answer: Answer) -> None:
        if self.stream is not None:
            self.stream.break_off(answer)
            return
        self.answers.append(answer)
        self.stream = answer.stream
        if self.stream is not None and self.outlet is not None:
            self.stream.attach(self.outlet)

    def finish(self, status: int) -> None:
        self.finished.append(status)


def run(
    chunks: Callable[[], Chunks],
    during: Callable[[Recipient, Stream, Out], Any] = lambda *_: None,
    kind: str = "text/plain",
) -> tuple[Recipient, Out, list[str]]:
    """Let a stream run to its end, with something done in its middle."""
    followed: list[str] = []

    def head() -> Answer:
        answer = Answer(b"", kind)
        answer.after = lambda: followed.append("after")
        return answer

    async def main() -> tuple[Recipient, Out]:
        out = Out()
        recipient = Recipient(out)
        stream = Stream(recipient, chunks(), head)
        for _ in range(5):
            await asyncio.sleep(0)
        during(recipient, stream, out)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        return recipient, out

    recipient, out = asyncio.run(main())
    return recipient, out, followed


async def two() -> AsyncIterator[Any]:
    yield b"1"
    yield b"2"


async def endless() -> AsyncIterator[Any]:
    yield b"1"
    await asyncio.Event().wait()


async def broken() -> AsyncIterator[Any]:
    yield b"1"
    raise BrokenError(Answer(b"{}", status=500))


async def broken_at_once() -> AsyncIterator[Any]:
    for status in (500,):
        raise BrokenError(Answer(b"{}", status=status))
    yield


async def late_to_fail() -> AsyncIterator[Any]:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        raise BrokenError(Answer(b"{}", status=500)) from None
    yield


def too_late(recipient: Recipient, stream: Stream, _: Out) -> None:
    """What a prediction does when its time is up."""
    stream.give_up()
    recipient.end(Answer(b"{}", status=504))


def test_chunks_go_out_and_what_follows_comes_last() -> None:
    recipient, out, followed = run(two)

    assert (out.got, out.is_whole) == ([b"1", b"2", b""], True)
    assert (recipient.finished, followed) == ([200], ["after"])


@pytest.mark.parametrize(
    ("chunks", "during", "status"),
    [
        (broken, lambda *_: None, 500),
        (endless, lambda _, stream, __: stream.give_up(), GONE),
        (endless, too_late, 504),
    ],
)
def test_what_does_not_come_to_its_end_is_no_whole_body(
    chunks: Callable[[], Chunks], during: Any, status: int
) -> None:
    recipient, out, followed = run(chunks, during)

    assert (out.got, out.is_whole) == ([b"1", b""], False)
    assert (recipient.finished, followed) == ([status], [])


@pytest.mark.parametrize("during", [lambda *_: None, too_late])
def test_among_events_an_error_is_the_last(during: Any) -> None:
    chunks = broken if during is not too_late else endless

    _, out, followed = run(chunks, during, "text/event-stream")

    assert out.got == [b"1", b"event: error\ndata: {}\n\n"]
    assert (out.is_whole, followed) == (True, [])


def test_an_error_at_once_is_the_answer() -> None:
    recipient, out, _ = run(broken_at_once)

    assert [answer.status for answer in recipient.answers] == [500]
    assert (out.got, recipient.finished) == ([], [])


def test_who_is_given_up_before_it_begins_answers_nothing() -> None:
    recipient, out, _ = run(late_to_fail, lambda _, stream, __: stream.give_up())

    assert (recipient.answers, recipient.finished, out.got) == ([], [], [])


def test_no_chunk_is_asked_for_while_the_last_one_waits() -> None:
    asked: list[int] = []

    async def counted() -> AsyncIterator[Any]:
        for number in range(3):
            asked.append(number)
            yield b"1"

    async def main() -> None:
        out = Out()
        out.gate.clear()
        Stream(Recipient(out), counted(), lambda: Answer(b""))
        for _ in range(10):
            await asyncio.sleep(0)
        assert asked == [0]
        out.gate.set()
        for _ in range(10):
            await asyncio.sleep(0)
        assert asked == [0, 1, 2]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("during", "status"),
    [(lambda _, stream, __: stream.give_up(), GONE), (too_late, 504)],
)
def test_a_stream_given_up_before_its_head_is_written_ends_what_takes_it_later(
    during: Any, status: int
) -> None:
    ends: list[bool | None] = []

    async def main() -> list[int]:
        recipient, late = Recipient(None), Out()
        stream = Stream(recipient, two(), lambda: Answer(b""))
        for _ in range(5):
            await asyncio.sleep(0)
        during(recipient, stream, late)
        for _ in range(5):
            await asyncio.sleep(0)
        stream.attach(late)
        ends.append(late.is_whole)
        return recipient.finished

    assert asyncio.run(main()) == [status]
    assert ends == [False]
