import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_server import board as board_module
from cortex_server.board import Board
from cortex_server.supervisor import demand as demand_module
from cortex_server.supervisor.demand import HISTORY, Demand

SECONDS = st.integers(0, 600)
DURATIONS = st.integers(1, 100)


class Replica:
    """A board and its demand on a clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        fd = board_module.create()
        self.board = Board(fd)
        os.close(fd)
        self.demand = Demand(self.board)

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        """Let time pass, sampled as a supervisor does it."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(self.now + 1.0, end)
            self.demand.sample()

    def answer(self, seconds: float) -> None:
        """Answer a request that has been in flight for so long."""
        self.board.leave(self.now)
        self.board.answered(200, seconds)


@contextmanager
def clock() -> Iterator[Replica]:
    with pytest.MonkeyPatch.context() as patch:
        time = SimpleNamespace(monotonic=lambda: 1000.0)
        patch.setattr(demand_module, "time", time)
        replica = Replica()
        time.monotonic = replica.monotonic
        yield replica


@pytest.fixture
def replica() -> Iterator[Replica]:
    with clock() as replica:
        yield replica


def test_an_idle_replica_has_no_demand(replica: Replica) -> None:
    replica.wait(10)

    assert replica.demand.mean(5) == 0


def test_before_any_time_has_passed_it_is_what_is_in_flight(replica: Replica) -> None:
    replica.board.enter(replica.now)

    assert replica.demand.mean(60) == 1


def test_one_request_for_half_of_the_time_is_half_a_request(replica: Replica) -> None:
    replica.wait(10)
    replica.board.enter(replica.now)
    replica.wait(10)
    replica.answer(10)

    assert replica.demand.mean(20) == pytest.approx(0.5)
    assert replica.demand.mean(10) == pytest.approx(1.0)


def test_only_the_window_counts(replica: Replica) -> None:
    for _ in range(8):
        replica.board.enter(replica.now)
    replica.wait(10)
    for _ in range(8):
        replica.answer(10)
    replica.wait(10)

    assert replica.demand.mean(10) == 0
    assert replica.demand.mean(20) == pytest.approx(4)


def test_a_window_longer_than_the_life_is_the_whole_life(replica: Replica) -> None:
    replica.board.enter(replica.now)
    replica.wait(10)
    replica.answer(10)
    replica.wait(10)

    assert replica.demand.mean(HISTORY) == pytest.approx(0.5)


def test_what_is_refused_counts_with_the_time_it_would_have_taken(
    replica: Replica,
) -> None:
    replica.board.enter(replica.now)
    replica.wait(10)
    for _ in range(20):
        replica.board.refuse()
    replica.answer(10)

    assert replica.demand.mean(10) == pytest.approx(1 + 20 / 10 * 10)


def test_refusals_before_any_answer_add_nothing(replica: Replica) -> None:
    replica.board.enter(replica.now)
    replica.board.refuse()
    replica.wait(10)

    assert replica.demand.mean(10) == pytest.approx(1)


def test_without_answers_in_the_window_the_time_is_that_of_all_before(
    replica: Replica,
) -> None:
    replica.board.enter(replica.now)
    replica.wait(4)
    replica.answer(4)
    replica.wait(100)
    for _ in range(5):
        replica.board.refuse()

    assert replica.demand.mean(10) == pytest.approx(5 / 10 * 4)


def test_samples_that_come_too_often_do_not_push_the_old_ones_out(
    replica: Replica,
) -> None:
    replica.board.enter(replica.now)
    replica.wait(10)
    replica.answer(10)
    for _ in range(2 * HISTORY):
        replica.now += 0.001
        replica.demand.sample()

    assert replica.demand.mean(HISTORY) == pytest.approx(10 / 17.2)


def test_forgets_what_is_older_than_its_history(replica: Replica) -> None:
    replica.board.enter(replica.now)
    replica.wait(10)
    replica.answer(10)
    replica.wait(HISTORY + 20)

    assert replica.demand.mean(HISTORY) == 0


@given(
    served=st.lists(st.tuples(SECONDS, DURATIONS), min_size=1, max_size=40),
    refused=st.integers(0, 50),
)
def test_demand_is_arrivals_per_second_times_mean_time(
    served: list[tuple[int, int]], refused: int
) -> None:
    """Little's law, whatever comes when and however long it takes."""
    with clock() as replica:
        start = replica.now
        events = [(begin, 0, 0) for begin, _ in served]
        events += [(begin + took, 1, took) for begin, took in served]
        for moment, is_end, took in sorted(events):
            replica.wait(start + moment - replica.now)
            if is_end:
                replica.answer(took)
            else:
                replica.board.enter(replica.now)
        for _ in range(refused):
            replica.board.refuse()

        elapsed = replica.now - start
        arrivals = (len(served) + refused) / elapsed
        mean_time = sum(took for _, took in served) / len(served)
        assert replica.demand.mean(elapsed) == pytest.approx(arrivals * mean_time)
