import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from unit.cortex_server.worker.counted import LIMIT, Counted

from cortex_server.interface import hook_of
from cortex_server.manifest import PostPredict
from cortex_server.worker import hook_log
from cortex_server.worker import hooks as hooks_module
from cortex_server.worker.call import Call
from cortex_server.worker.hook_workers import Hook
from cortex_server.worker.hooks import Hooks

CALL = Call(b"body", b"", [(b"x-request-id", b"mine")])

Function = Callable[..., Any]


class Replica:
    """Hooks, and the requests that they follow."""

    def __init__(self, *functions: Function, **options: Any) -> None:
        self.counts = Counted()
        hooks = [Hook(hook_of(function), function, _bind) for function in functions]
        self.hooks = Hooks(hooks, PostPredict(**options), self.counts)

    def answer(self, payload: object = None) -> None:
        """Do what is done for one request."""
        self.hooks.follow(CALL, payload, "response")

    async def drain(self) -> None:
        await self.hooks.drain(LIMIT)


def _bind(_call: Call, payload: object, _response: object) -> dict[str, object]:
    return {"payload": payload}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks_module, "pause", lambda _: 0)


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    with capture_logs():  # tracebacks that nobody reads take most of the time
        yield


async def turns(number: int = 10) -> None:
    """Let everything happen that is ready."""
    for _ in range(number):
        await asyncio.sleep(0)


def test_an_accepted_run_gets_its_arguments() -> None:
    seen: list[object] = []

    def record(payload: object) -> None:
        seen.append(payload)

    async def main() -> Counted:
        replica = Replica(record)
        replica.answer(1)
        assert seen == []  # it never runs before the caller goes on
        await replica.drain()
        return replica.counts

    counts = asyncio.run(main())

    assert seen == [1]
    assert counts.outcomes == (1, 1, 0, 0)
    assert counts["tries"] == 1


def test_several_hooks_of_a_request_are_runs_of_their_own() -> None:
    seen: list[object] = []

    def fails(payload: object) -> None:
        raise ValueError(payload)

    async def follows(payload: object) -> None:
        seen.append(payload)

    def record(payload: object) -> None:
        seen.append(payload)

    async def main() -> Counted:
        replica = Replica(fails, follows, record)
        for _ in range(2):
            replica.answer(1)
        await replica.drain()
        return replica.counts

    counts = asyncio.run(main())

    assert seen == [1] * 4
    assert counts.outcomes == (6, 4, 2, 0)


@pytest.mark.parametrize("workers", [1, 3])
def test_no_more_than_its_workers_run_at_a_time(workers: int) -> None:
    running, most = 0, 0

    async def hook(payload: object) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    async def main() -> Counted:
        replica = Replica(hook, workers=workers)
        for _ in range(50):
            replica.answer()
        await replica.drain()
        return replica.counts

    assert asyncio.run(main())["run"] == 50
    assert most == workers


class Gated:
    """A hook that waits until it may go on."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.seen: list[object] = []

    async def hook(self, payload: object) -> None:
        await self.gate.wait()
        self.seen.append(payload)

    def replica(self, **options: Any) -> Replica:
        async def hook(payload: object) -> None:
            await self.hook(payload)

        return Replica(hook, **options)


@pytest.mark.parametrize(
    ("when_full", "run"),
    [
        ("drop_new", [0, 1, 2, 3]),  # one runs, three wait
        ("drop_oldest", [0, 3, 4, 5]),
        ("wait", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_when_the_queue_is_full(when_full: str, run: list[int]) -> None:
    async def main() -> tuple[Counted, list[object]]:
        gated = Gated()
        replica = gated.replica(workers=1, queue=3, when_full=when_full)
        for number in range(6):
            replica.answer(number)
        queued = replica.counts["queued"]
        assert queued == (5 if when_full == "wait" else 3)
        gated.gate.set()
        await replica.drain()
        replica.answer("more")  # there is room again
        await replica.drain()
        return replica.counts, gated.seen

    counts, seen = asyncio.run(main())

    assert seen == [*run, "more"]
    dropped = 6 - len(run)
    assert counts.outcomes == (7, 7 - dropped, 0, dropped)
    assert counts["queued"] == counts["slots"] == 0


def test_wait_keeps_the_slot_of_a_request_until_its_hooks_are_queued() -> None:
    async def main() -> list[int]:
        gated = Gated()
        replica = gated.replica(workers=1, queue=1, when_full="wait")
        slots = []
        for _ in range(4):
            replica.answer()
            slots.append(replica.counts["slots"])
        gated.gate.set()
        while replica.counts["run"] < 2:  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0)
        slots.append(replica.counts["slots"])
        await replica.drain()
        return [*slots, replica.counts["slots"]]

    # One runs, one is queued; when one has run, the third has been queued, and so on.
    assert asyncio.run(main()) == [0, 0, 1, 2, 0, 0]


def test_a_slot_is_kept_for_the_last_of_several_hooks() -> None:
    async def main() -> list[int]:
        gate = asyncio.Event()

        async def first(payload: object) -> None:
            await gate.wait()

        async def second(payload: object) -> None:
            await gate.wait()

        replica = Replica(first, second, workers=1, queue=2, when_full="wait")
        slots = []
        for _ in range(2):
            replica.answer()
            slots.append(replica.counts["slots"])
        gate.set()
        await replica.drain()
        return [*slots, replica.counts["slots"]]

    assert asyncio.run(main()) == [0, 1, 0]


def test_a_hook_holds_no_body() -> None:
    assert CALL.without_body().body == b""
    assert CALL.without_body().id == CALL.id
    call = Call(b"body", b"", [])
    assert call.without_body().id == call.id


@pytest.mark.parametrize(
    "error",
    [ValueError, SystemExit, KeyboardInterrupt, StopIteration, BaseException],
)
def test_failures_are_counted_and_end_nothing_else(error: type[BaseException]) -> None:
    def hook(payload: object) -> None:
        if payload:
            raise error

    async def main() -> Counted:
        replica = Replica(hook)
        for fails in (True, False, True):
            replica.answer(fails)
        await replica.drain()
        return replica.counts

    assert asyncio.run(main()).outcomes == (3, 1, 2, 0)


def test_a_failure_is_told_with_the_users_frames_and_the_request() -> None:
    def record(payload: object) -> None:
        raise ValueError(payload)

    async def main() -> None:
        replica = Replica(record)
        replica.answer("the table is gone")
        await replica.drain()

    with capture_logs() as lines:
        asyncio.run(main())

    (line,) = lines
    assert line["event"] == "post_predict failed"
    assert line["hook"].endswith("record")
    frames = line["exc_info"][2]
    assert frames.tb_frame.f_code.co_name == "record"


def test_a_coroutine_that_takes_too_long_is_cancelled_and_has_failed() -> None:
    async def main() -> tuple[Counted, list[str]]:
        ended: list[str] = []
        gate = asyncio.Event()

        async def hook(payload: object) -> None:
            try:
                await (gate.wait() if payload else asyncio.sleep(0))
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise

        replica = Replica(hook, workers=1, timeout=0, retries=3)
        replica.answer("slow")
        await replica.drain()
        await turns()
        assert replica.hooks._workers.free == 1
        return replica.counts, ended

    with capture_logs() as lines:
        counts, ended = asyncio.run(main())

    assert ended == ["cancelled"]
    assert counts.outcomes == (1, 0, 1, 0)
    assert counts["retried"] == 0
    assert [line["event"] for line in lines] == ["post_predict timed out"]


def test_a_coroutine_that_will_not_be_cancelled_keeps_its_worker() -> None:
    async def main() -> list[int]:
        gate = asyncio.Event()

        async def hook(payload: object) -> None:
            while not gate.is_set():
                try:
                    await gate.wait()
                except asyncio.CancelledError:
                    continue

        replica = Replica(hook, workers=1, timeout=0)
        replica.answer()
        await replica.drain()
        await turns()
        free = [replica.hooks._workers.free]
        gate.set()
        await turns()
        return [*free, replica.hooks._workers.free]

    assert asyncio.run(main()) == [0, 1]


def test_a_thread_that_takes_too_long_has_failed_and_stays_busy() -> None:
    gate = threading.Event()

    async def main() -> tuple[Counted, list[int]]:
        def hook(payload: object) -> None:
            gate.wait(LIMIT)

        replica = Replica(hook, workers=1, timeout=0)
        replica.answer()
        await replica.drain()
        free = [replica.hooks._workers.free]
        freed = asyncio.Event()
        replica.hooks._workers._events = replica.hooks._workers._events._replace(
            freed=freed.set
        )
        gate.set()
        await freed.wait()
        return replica.counts, [*free, replica.hooks._workers.free]

    counts, free = asyncio.run(main())

    assert free == [0, 1]
    assert counts.outcomes == (1, 0, 1, 0)


class Flaky:
    """A hook that fails a few times."""

    def __init__(self, failures: int, error: type[BaseException] = ValueError) -> None:
        self.left = failures
        self.tries = 0
        self.error = error

    def replica(self, **options: Any) -> Replica:
        def hook(payload: object) -> None:
            self.tries += 1
            if self.tries <= self.left:
                raise self.error

        return Replica(hook, **options)


@pytest.mark.parametrize(
    ("flaky", "tries", "outcomes"),
    [
        (Flaky(0), 1, (1, 1, 0, 0)),
        (Flaky(3), 4, (1, 1, 0, 0)),
        (Flaky(4), 4, (1, 0, 1, 0)),
        (Flaky(1, SystemExit), 1, (1, 0, 1, 0)),  # no failure that passes
    ],
)
def test_a_failure_is_tried_again_so_many_times(
    flaky: Flaky, tries: int, outcomes: tuple[int, ...]
) -> None:
    async def main() -> Counted:
        replica = flaky.replica(retries=3)
        replica.answer()
        await replica.drain()  # which waits for retries, too
        return replica.counts

    counts = asyncio.run(main())

    assert flaky.tries == counts["tries"] == tries
    assert counts["retried"] == tries - 1
    assert counts.outcomes == outcomes
    assert counts["queued"] == 0


def test_a_run_that_waits_to_be_tried_again_holds_no_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hooks_module, "pause", lambda _: LIMIT)

    async def main() -> tuple[Counted, list[object]]:
        seen: list[object] = []

        async def hook(payload: object) -> None:
            if payload == "fails":
                raise ValueError
            seen.append(payload)

        replica = Replica(hook, workers=1, retries=1)
        for payload in ("fails", "runs"):
            replica.answer(payload)
        await turns()
        counts = Counted(replica.counts)
        await replica.hooks.drain(0)
        return counts, seen

    counts, seen = asyncio.run(main())

    assert seen == ["runs"]
    assert counts.outcomes == (2, 1, 0, 0)
    assert counts["queued"] == 1


@pytest.mark.parametrize(
    ("when_full", "outcomes"),
    [("drop_new", (9, 0, 7, 0)), ("drop_oldest", (9, 0, 7, 0))],
)
def test_a_run_that_finds_no_room_to_wait_for_a_retry_has_failed(
    monkeypatch: pytest.MonkeyPatch, when_full: str, outcomes: tuple[int, ...]
) -> None:
    monkeypatch.setattr(hooks_module, "pause", lambda _: LIMIT)

    async def main() -> Counted:
        async def hook(payload: object) -> None:
            raise ValueError

        replica = Replica(hook, workers=1, queue=1, retries=9, when_full=when_full)
        for _ in range(9):
            replica.answer()
            await turns()
        counts = Counted(replica.counts)
        await replica.hooks.drain(0)
        return counts

    counts = asyncio.run(main())

    assert counts.outcomes == outcomes
    assert counts["queued"] == 2  # as many as the queue holds, and one


def test_the_oldest_to_be_dropped_may_wait_to_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hooks_module, "pause", lambda _: LIMIT)

    async def main() -> tuple[Counted, list[object]]:
        gated = Gated()

        async def hook(payload: object) -> None:
            if payload == "fails":
                raise ValueError
            await gated.hook(payload)

        replica = Replica(hook, workers=1, queue=1, retries=1, when_full="drop_oldest")
        replica.answer("fails")
        await turns()
        for payload in (1, 2):
            replica.answer(payload)
        gated.gate.set()
        await replica.drain()
        return replica.counts, gated.seen

    counts, seen = asyncio.run(main())

    assert seen == [1, 2]
    assert counts.outcomes == (3, 2, 0, 1)


def test_the_end_waits_for_what_was_accepted() -> None:
    async def main() -> Counted:
        gated = Gated()
        replica = gated.replica()
        replica.answer()
        drained = asyncio.create_task(replica.drain())
        await turns()
        assert not drained.done()
        gated.gate.set()
        await drained
        return replica.counts

    assert asyncio.run(main())["run"] == 1


@pytest.mark.parametrize("when_full", ["drop_new", "wait"])
def test_what_is_not_done_at_the_end_was_dropped(when_full: str) -> None:
    async def main() -> Counted:
        gated = Gated()
        replica = gated.replica(workers=2, queue=3, when_full=when_full)
        for _ in range(8):
            replica.answer()
        await replica.hooks.drain(0)
        gated.gate.set()
        await turns()  # what ends later changes nothing
        return replica.counts

    with capture_logs() as lines:
        counts = asyncio.run(main())

    assert counts.outcomes == (8, 0, 0, 8)
    told = [(line["number"], line["reason"]) for line in lines]
    full = [(3, "the queue was full")] if when_full == "drop_new" else []
    left = 8 - len(full) * 3
    assert told == [(left, "the time to drain was over"), *full]


def test_drops_are_told_once_in_a_while_and_not_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hook_log, "SECONDS_BETWEEN", 0)

    async def main() -> None:
        gated = Gated()
        replica = gated.replica(workers=1, queue=1)
        for number in (7, 2):
            for _ in range(number):
                replica.answer()
            await turns()
        gated.gate.set()
        await replica.drain()

    with capture_logs() as lines:
        asyncio.run(main())

    assert [line["number"] for line in lines] == [5, 2]


def test_a_function_runs_beside_the_loop() -> None:
    names: list[str] = []

    async def main() -> None:
        replica = Replica(lambda payload: names.append(threading.current_thread().name))
        replica.answer()
        await replica.drain()

    asyncio.run(main())

    assert names[0].startswith("post-predict")


def test_with_nothing_accepted_the_end_is_at_once() -> None:
    async def main() -> Counted:
        replica = Replica(lambda payload: None)
        await replica.drain()
        return replica.counts

    assert sum(asyncio.run(main()).values()) == 0


OUTCOME = st.sampled_from(["runs", "fails", "exits", "waits"])


@given(
    requests=st.lists(st.lists(OUTCOME, min_size=1, max_size=5), max_size=12),
    when_full=st.sampled_from(["drop_new", "drop_oldest", "wait"]),
    workers=st.integers(1, 3),
    queue=st.integers(1, 3),
    retries=st.integers(0, 2),
)
def test_every_accepted_run_ends_one_way_and_nothing_is_left(
    requests: list[list[str]], when_full: str, **options: int
) -> None:
    async def main() -> Counted:
        gate = asyncio.Event()

        async def hook(payload: str) -> None:
            if payload == "waits":
                await gate.wait()
            if payload == "fails":
                raise ValueError
            if payload == "exits":
                raise SystemExit

        replica = Replica(hook, hook, when_full=when_full, **options)
        for together in requests:
            for payload in together:
                replica.answer(payload)
            await asyncio.sleep(0)
        gate.set()
        await replica.drain()
        return replica.counts

    counts = asyncio.run(main())
    accepted, run, failed, dropped = counts.outcomes

    assert accepted == 2 * sum(map(len, requests)) == run + failed + dropped
    assert counts["queued"] == counts["slots"] == 0
    assert counts["tries"] == run + failed + counts["retried"]
    assert when_full != "wait" or not dropped
