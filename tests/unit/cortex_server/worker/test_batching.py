import array
import asyncio
import gc
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pytest
from sanic.exceptions import NotFound
from structlog.testing import capture_logs

from cortex_server.interface import interface_of
from cortex_server.manifest import Batching
from cortex_server.worker.batching import Batcher
from cortex_server.worker.call import Call, current
from cortex_server.worker.execution import Threads, Work
from cortex_server.worker.problems import Problem

LIMIT = 10
SIZE = 4


class Doubling:
    """Doubles numbers; the first call waits at a gate."""

    def __init__(self) -> None:
        self.gate: Any = threading.Event()
        self.calls: list[list[int]] = []
        self.answer: Callable[[list[int]], Any] = lambda n: [2 * one for one in n]

    def predict(self, payload: list[int]) -> Any:
        self.calls.append(payload)
        if len(self.calls) == 1:
            self.gate.wait(LIMIT)
        return self.answer(payload)


class DoublingAsync(Doubling):
    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.cancelled = 0

    async def predict(self, payload: list[int]) -> Any:
        self.calls.append(payload)
        if len(self.calls) == 1:
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        return self.answer(payload)


def answering(kind: type[Doubling], answer: Callable[[list[int]], Any]) -> Doubling:
    predictor = kind()
    predictor.answer = answer
    return predictor


class Client:
    """One that waits for its own part of a batch, as a prediction does."""

    def __init__(self, batcher: Batcher, name: object, arguments: Any) -> None:
        self.heard = 0
        self._outcome: asyncio.Future[tuple[Any, BaseException | None]]
        self._outcome = asyncio.get_running_loop().create_future()
        call = Call(b"", b"", [(b"x-request-id", str(name).encode())])
        self._work: Work | None = Work(call, arguments, self._done)
        batcher.submit(self._work)

    def leave(self) -> None:
        assert self._work is not None
        self._work.give_up()
        self._work = None

    def _done(self, result: Any, error: BaseException | None) -> None:
        self._work = None
        self.heard += 1
        self._outcome.set_result((result, error))

    async def outcome(self) -> tuple[Any, BaseException | None]:
        async with asyncio.timeout(LIMIT):
            return await self._outcome

    async def result(self) -> Any:
        result, error = await self.outcome()
        assert error is None
        return result

    async def error(self) -> BaseException:
        result, error = await self.outcome()
        assert result is None
        assert error is not None
        return error


class Bench:
    """A batcher, and the sizes of the batches that it has run."""

    def __init__(self, predictor: Any, threads: int = 1, longest: float = 0.05) -> None:
        self.predictor = predictor
        self.sizes: list[int] = []
        method = interface_of(type(predictor), is_batched=True).predict
        self._batcher = Batcher(
            Batching(max_batch_size=SIZE, batch_interval=longest),
            method,
            getattr(predictor, method.name),
            Threads(threads, "test"),
            self.sizes.append,
        )

    def send(self, payload: object, **arguments: Any) -> Client:
        return Client(self._batcher, payload, {"payload": payload, **arguments})

    async def send_together(self, *payloads: object) -> list[Client]:
        """Send those that share a batch, while another holds the predictor."""
        first = self.send(0)
        await self.until_calls(1)
        sent = [self.send(payload) for payload in payloads]
        self.predictor.gate.set()
        await first.outcome()
        return sent

    async def until_calls(self, number: int) -> None:
        async with asyncio.timeout(LIMIT):
            while len(self.predictor.calls) < number:  # noqa: ASYNC110  # in a thread
                await asyncio.sleep(0.001)


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return asyncio.run(main())


BOTH = pytest.mark.parametrize("kind", [Doubling, DoublingAsync])


@BOTH
def test_those_that_wait_are_taken_together_and_get_their_own_results(
    kind: type[Doubling],
) -> None:
    async def main() -> tuple[list[Any], Bench]:
        bench = Bench(kind())
        sent = await bench.send_together(1, 2, 3)
        return [await one.result() for one in sent], bench

    results, bench = run(main)

    assert results == [2, 4, 6]
    assert bench.predictor.calls == [[0], [1, 2, 3]]
    assert bench.sizes == [1, 3]


@BOTH
def test_no_batch_is_larger_than_the_limit_and_all_go_in_order(
    kind: type[Doubling],
) -> None:
    async def main() -> Bench:
        bench = Bench(kind())
        for one in await bench.send_together(*range(1, 11)):
            await one.outcome()
        return bench

    bench = run(main)

    assert bench.predictor.calls == [[0], [1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    assert bench.sizes == [1, 4, 4, 2]


def test_a_thread_begins_a_full_batch_while_the_loop_is_busy() -> None:
    async def main() -> None:
        bench = Bench(Doubling())
        first = bench.send(0)
        await bench.until_calls(1)
        sent = [bench.send(number) for number in range(1, SIZE + 1)]
        bench.predictor.gate.set()
        limit = time.monotonic() + LIMIT
        while len(bench.predictor.calls) < 2 and time.monotonic() < limit:
            time.sleep(0.001)  # noqa: ASYNC251  # that is the claim
        assert len(bench.predictor.calls) == 2
        for one in [first, *sent]:
            await one.result()

    run(main)


@BOTH
def test_clients_are_expected_back_from_when_they_have_their_answers(
    kind: type[Doubling], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []

    async def main() -> None:
        bench = Bench(kind())
        bench.predictor.gate.set()
        asked = bench.send(1)
        monkeypatch.setattr(
            bench._batcher._waiting, "answered", lambda _: heard.append(asked.heard)
        )
        await asked.result()
        await asyncio.sleep(0)

    run(main)

    assert heard == [1]


@BOTH
def test_a_lone_request_starts_at_once(kind: type[Doubling]) -> None:
    async def main() -> list[int]:
        bench = Bench(kind(), longest=100 * LIMIT)
        bench.predictor.gate.set()
        return [await bench.send(number).result() for number in range(3)]

    assert run(main) == [0, 2, 4]


def test_a_wait_ends_when_nobody_comes() -> None:
    async def main() -> list[int]:
        bench = Bench(Doubling(), longest=0.01)
        bench.predictor.gate.set()
        bench._batcher._waiting._chances = [1.0] * SIZE  # it expects more
        bench._batcher._waiting.took(LIMIT)
        return [await bench.send(1).result(), await bench.send(2).result()]

    assert run(main) == [2, 4]


def test_one_that_comes_during_a_wait_goes_along() -> None:
    async def main() -> Bench:
        bench = Bench(Doubling(), longest=LIMIT)
        bench.predictor.gate.set()
        bench._batcher._waiting._chances = [1.0, 1.0, 0.0, 0.0]
        bench._batcher._waiting.took(LIMIT)
        first = bench.send(1)
        await asyncio.sleep(0.01)
        second = bench.send(2)
        await first.result()
        await second.result()
        return bench

    assert run(main).sizes == [2]


class Everything:
    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}
        self.gate = threading.Event()
        self.calls: list[Any] = []

    def predict(self, payload: list[str]) -> str:  # where there is no batching
        return payload[0]

    def predict_batch(
        self,
        payload: list[int],
        headers: Any,
        query_params: Any,
        request_id: Any,
        logger: Any,
    ) -> list[int]:
        self.calls.append(payload)
        self.gate.wait(LIMIT)
        self.seen = {**locals()}
        return payload


def test_all_that_belongs_to_a_request_is_a_list_and_the_rest_is_not() -> None:
    def of(number: int) -> dict[str, Any]:
        names = ("headers", "query_params", "request_id")
        return {name: f"{name} {number}" for name in names} | {"logger": "the logger"}

    async def main() -> dict[str, Any]:
        bench = Bench(Everything())
        first = bench.send(0, **of(0))
        await bench.until_calls(1)
        sent = [bench.send(number, **of(number)) for number in (1, 2)]
        bench.predictor.gate.set()
        for one in [first, *sent]:
            await one.result()
        seen: dict[str, Any] = bench.predictor.seen
        return seen

    seen = run(main)

    assert seen["payload"] == [1, 2]
    for name in ("headers", "query_params", "request_id"):
        assert seen[name] == [f"{name} 1", f"{name} 2"]
    assert seen["logger"] == "the logger"


@BOTH
def test_an_exception_in_the_place_of_a_result_is_that_of_its_request(
    kind: type[Doubling],
) -> None:
    def answer(numbers: list[int]) -> list[Any]:
        return [NotFound(str(one)) if one == 2 else one for one in numbers]

    async def main() -> list[tuple[Any, BaseException | None]]:
        bench = Bench(answering(kind, answer))
        return [await one.outcome() for one in await bench.send_together(1, 2, 3)]

    first, second, third = run(main)

    assert (first, third) == ((1, None), (3, None))
    assert isinstance(second[1], NotFound)
    assert str(second[1]) == "2"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda n: n[1:], "must return a result for each of its 3 requests, but"),
        (lambda n: [*n, 1], "returned 4"),
        (lambda n: [], "returned 0"),
        (lambda n: None, "a list with a result for each of its 3 requests, not a None"),
        (lambda n: "abc", "not a str"),
        (lambda n: b"abc", "not a bytes"),
        (dict.fromkeys, "not a dict"),
        (set, "not a set"),
        (iter, "not a list_iterator"),
        (lambda n: np.float64(1), "not a float64"),
        (lambda n: np.array(1), "not a ndarray"),
    ],
)
@BOTH
def test_what_is_no_result_for_each_fails_that_batch_and_no_other(
    kind: type[Doubling], answer: Callable[[list[int]], Any], problem: str
) -> None:
    async def main() -> tuple[list[BaseException], Any, list[Any]]:
        bench = Bench(answering(kind, lambda n: answer(n) if len(n) > 1 else n))
        with capture_logs() as logs:
            sent = await bench.send_together(1, 2, 3)
            errors = [await one.error() for one in sent]
        return errors, await bench.send(7).result(), logs

    errors, after, logs = run(main)

    assert after == 7
    for error in errors:
        assert isinstance(error, Problem)
        assert error.status == 500
        assert b"result for each request of its batch" in error.answer("x").body
    (line,) = logs
    assert line["event"].startswith("`predict` must return ")
    assert problem in line["event"]
    assert line["request_ids"] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "answer",
    [
        tuple,
        np.array,
        lambda n: np.array([n, n]).T,
        lambda n: array.array("l", n),
        deque,
        lambda n: range(n[0], n[0] + len(n)),
    ],
)
def test_whatever_is_a_sequence_will_do(answer: Callable[[list[int]], Any]) -> None:
    async def main() -> list[Any]:
        bench = Bench(answering(Doubling, answer))
        return [await one.result() for one in await bench.send_together(1, 2, 3)]

    assert [np.ravel(one)[0] for one in run(main)] == [1, 2, 3]


def fail(error: BaseException, numbers: list[int]) -> list[int]:
    if len(numbers) > 1:
        raise error
    return numbers


@BOTH
@pytest.mark.parametrize(
    "error", [ValueError("secret"), SystemExit(1), StopIteration(), MemoryError()]
)
def test_what_is_raised_fails_the_batch_is_logged_once_and_told_to_nobody(
    kind: type[Doubling], error: BaseException
) -> None:
    async def main() -> tuple[list[BaseException], Any, list[Any]]:
        bench = Bench(answering(kind, lambda numbers: fail(error, numbers)))
        with capture_logs() as logs:
            sent = await bench.send_together(1, 2, 3)
            errors = [await one.error() for one in sent]
        return errors, await bench.send(7).result(), logs

    errors, after, logs = run(main)

    assert after == 7
    assert [one.status for one in errors if isinstance(one, Problem)] == [500] * 3
    assert all(b"secret" not in one.answer("x").body for one in errors)
    (line,) = logs
    assert line["event"] == "predict failed"
    assert line["request_ids"] == ["1", "2", "3"]


def test_an_exception_with_a_status_is_that_of_each_request() -> None:
    async def main() -> tuple[list[BaseException], list[Any]]:
        bench = Bench(
            answering(Doubling, lambda numbers: fail(NotFound("none"), numbers))
        )
        with capture_logs() as logs:
            sent = await bench.send_together(1, 2)
            return [await one.error() for one in sent], logs

    errors, logs = run(main)

    assert [type(error) for error in errors] == [NotFound] * 2
    assert logs == []


def test_what_is_raised_for_a_lone_request_arrives_as_it_is() -> None:
    error = ValueError("alone")

    def answer(_: list[int]) -> list[int]:
        raise error

    async def main() -> BaseException:
        bench = Bench(answering(Doubling, answer))
        bench.predictor.gate.set()
        return await bench.send(1).error()

    assert run(main) is error


@BOTH
def test_those_given_up_before_a_batch_starts_are_not_in_it(
    kind: type[Doubling],
) -> None:
    async def main() -> tuple[Bench, list[Client]]:
        bench = Bench(kind())
        first = bench.send(0)
        await bench.until_calls(1)
        sent = [bench.send(number) for number in range(1, 7)]  # one batch is put ready
        for one in (sent[1], sent[5]):
            one.leave()
        bench.predictor.gate.set()
        for one in [first, *(sent[n] for n in (0, 2, 3, 4))]:
            await one.result()
        return bench, sent

    bench, sent = run(main)

    seen = [number for call in bench.predictor.calls for number in call]
    assert seen == [0, 1, 3, 4, 5]
    assert [one.heard for one in sent] == [1, 0, 1, 1, 1, 0]
    assert sum(bench.sizes) == 5


@BOTH
def test_a_batch_that_all_have_given_up_never_runs(kind: type[Doubling]) -> None:
    async def main() -> Bench:
        bench = Bench(kind())
        first = bench.send(0)
        await bench.until_calls(1)
        for one in [bench.send(number) for number in range(1, 6)]:
            one.leave()
        assert not bench._batcher._line
        bench.predictor.gate.set()
        await first.result()
        assert await bench.send(7).result() == 14
        return bench

    bench = run(main)

    assert bench.predictor.calls == [[0], [7]]
    assert bench.sizes == [1, 1]


def test_a_call_goes_on_while_one_waits_for_it_and_is_cancelled_with_the_last() -> None:
    async def main() -> tuple[int, int, Bench]:
        bench = Bench(DoublingAsync())
        policy = bench._batcher._waiting
        policy._chances = [1.0, 0.0, 0.0, 0.0]
        policy._chances[1] = 1.0
        policy.took(LIMIT)
        sent = [bench.send(1), bench.send(2)]  # the first waits for the second
        await bench.until_calls(1)
        sent[0].leave()
        await asyncio.sleep(0.01)
        before = bench.predictor.cancelled
        sent[1].leave()
        await asyncio.sleep(0.01)
        after = bench.predictor.cancelled
        assert await bench.send(7).result() == 14  # its place is free
        return before, after, bench

    with capture_logs() as logs:
        before, after, bench = run(main)

    assert (before, after) == (0, 1)
    assert bench.predictor.calls == [[1, 2], [7]]
    assert logs == []


@BOTH
def test_as_many_batches_as_threads_run_at_a_time(kind: type[Doubling]) -> None:
    async def main() -> tuple[Any, Bench]:
        bench = Bench(kind(), threads=2)
        first = bench.send(0)
        await bench.until_calls(1)
        second = await bench.send(5).result()
        assert not first.heard
        bench.predictor.gate.set()
        await first.result()
        return second, bench

    second, bench = run(main)

    assert second == 10
    assert bench.predictor.calls == [[0], [5]]


class Naming:
    """Tells for which request each call works."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.calls: list[list[int]] = []

    def predict(self, payload: list[int]) -> list[str]:
        self.calls.append(payload)
        self.gate.wait(LIMIT)
        call = current.get()
        return [call.request_id if call else "none"] * len(payload)


def test_log_lines_have_the_id_of_a_lone_request_and_none_of_several() -> None:
    async def main() -> list[str]:
        bench = Bench(Naming())
        first = bench.send(0)
        await bench.until_calls(1)
        sent = [bench.send(number) for number in (1, 2)]
        bench.predictor.gate.set()
        return [await one.result() for one in [first, *sent]]

    assert run(main) == ["0", "none", "none"]


def works() -> int:
    return sum(isinstance(one, Work) for one in gc.get_objects())


@BOTH
def test_a_batch_that_is_over_leaves_nothing_to_collect(kind: type[Doubling]) -> None:
    async def main() -> int:
        bench = Bench(kind())
        before = works()
        sent = [bench.send(number) for number in range(9)]
        await bench.until_calls(1)
        for gone in (
            sent[0],
            sent[1],
            sent[8],
        ):  # of a batch that runs, waits, the line
            gone.leave()
        bench.predictor.gate.set()
        for one in sent[2:8]:
            await one.outcome()
        await asyncio.sleep(0.01)
        return works() - before

    gc.disable()
    try:
        assert run(main) == 0
    finally:
        gc.enable()
