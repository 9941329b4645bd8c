import asyncio

import pytest

from cortex_server.worker import deadlines
from cortex_server.worker.deadlines import Deadlines


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class One:
    def __init__(self, started: float) -> None:
        self.started = started
        self.is_expired = False

    def expire(self) -> None:
        self.is_expired = True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(deadlines, "monotonic", clock)
    return clock


def test_expires_what_is_late_and_nothing_else(clock: Clock) -> None:
    async def main() -> list[bool]:
        limits = Deadlines(10)
        ones = [One(100), One(101), One(102), One(105)]
        for one in ones:
            limits.watch(one)
        limits.forget(ones[1])
        clock.now = 112.0
        limits._look()
        return [one.is_expired for one in ones]

    assert asyncio.run(main()) == [True, False, True, False]


def test_looks_again_when_the_next_is_due(clock: Clock) -> None:
    async def main() -> float:
        limits = Deadlines(10)
        limits.watch(One(100))
        limits.watch(One(104))
        clock.now = 110.0
        limits._look()
        assert limits._timer is not None
        return limits._timer.when() - asyncio.get_running_loop().time()

    assert asyncio.run(main()) == pytest.approx(4, abs=0.5)


def test_what_is_over_is_not_kept(clock: Clock) -> None:
    async def main() -> int:
        limits = Deadlines(10)
        first = One(clock.now)
        limits.watch(first)
        for _ in range(1000):
            one = One(clock.now)
            limits.watch(one)
            limits.forget(one)
        return len(limits._watched)

    assert asyncio.run(main()) == 1
