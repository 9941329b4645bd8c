from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.cortex_server.worker.clients import (
    MILLISECOND,
    AtOnce,
    Predictor,
    World,
    come_back,
    come_by_chance,
)

from cortex_server.worker.waiting import Waiting

LONGEST = 5 * MILLISECOND

sizes = st.integers(2, 64)
costs = st.floats(1, 50).map(lambda ms: ms * MILLISECOND)
moments = st.floats(0, 1e5)
events = st.lists(
    st.tuples(st.sampled_from(["arrived", "freed"]), st.floats(0, 0.1)), max_size=60
)


def world(size: int, seconds: float = 5 * MILLISECOND) -> World:
    return World(Waiting(size, LONGEST), Predictor(size, seconds, 0.1 * MILLISECOND))


@given(sizes, costs, st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_a_lone_client_never_waits(
    size: int, seconds: float, pauses: list[float]
) -> None:
    alone = world(size, seconds)
    left = list(pauses)

    def again() -> None:
        if left:
            alone.at(alone.now + left.pop(), lambda: alone.send(again))

    again()
    alone.run(until=1e6)

    assert alone.pauses == [0] * len(pauses)


@given(sizes, st.floats(1e-6, 1), events, costs)
def test_no_free_predictor_waits_longer_than_the_interval(
    size: int, longest: float, happened: list[tuple[str, float]], seconds: float
) -> None:
    policy = Waiting(size, longest)
    policy._chances = [1.0] * size  # it expects more, whatever happens
    now = free = 0.0
    waiting = 0
    policy.took(seconds)
    for event, pause in happened:
        now += pause
        if event == "freed":
            policy.freed(now, waiting)
            free = now
        else:
            free = free if waiting else now
            waiting += 1
            policy.arrived(now, waiting)
        if waiting:
            assert policy.start(waiting) <= max(now, free + longest)


@pytest.mark.parametrize("clients", [2, 3, 8, 31, 32, 33, 40, 63, 64, 65, 100])
@pytest.mark.parametrize("size", [32, 64, 128])
def test_clients_that_come_back_are_taken_together(clients: int, size: int) -> None:
    loop = world(size)
    come_back(loop, clients)
    loop.run(until=1)  # it learns
    before = len(loop.sizes)
    loop.run(until=4)

    settled = loop.sizes[before:]
    assert mean(settled) >= 0.9 * min(clients, size)
    tiny = [number for number in settled if number < min(clients, size) / 2]
    assert len(tiny) < 0.05 * len(settled)


@settings(max_examples=25, deadline=None)
@given(sizes, st.integers(1, 100), costs)
def test_waiting_costs_clients_that_come_back_no_throughput(
    size: int, clients: int, seconds: float
) -> None:
    made = []
    for starts in (Waiting(size, LONGEST), AtOnce()):
        loop = World(starts, Predictor(size, seconds, 0.1 * MILLISECOND))
        come_back(loop, clients)
        loop.run(until=200 * seconds)
        made.append(len(loop.latencies))

    assert made[0] >= 0.95 * made[1]


@settings(max_examples=25, deadline=None)
@given(sizes, st.floats(0.01, 0.9), costs)
def test_requests_that_come_by_chance_are_hardly_slower_than_without_a_wait(
    size: int, load: float, seconds: float
) -> None:
    predictor = Predictor(size, seconds, 0.1 * MILLISECOND)
    rate = load * size / predictor.takes(size)
    slowness = []
    for starts in (Waiting(size, LONGEST), AtOnce()):
        chance = World(starts, predictor)
        come_by_chance(chance, rate, until=2000 / rate)
        chance.run(until=2100 / rate)
        slowness.append(mean(chance.latencies))

    assert slowness[0] <= 1.15 * slowness[1]


def test_it_learns_within_a_few_batches_that_the_others_have_gone() -> None:
    loop = world(32)
    come_back(loop, 31)
    loop.run(until=1)
    policy = loop.starts
    alone = World(policy, loop.predictor, now=2)
    left = list(range(20))

    def again() -> None:
        if left:
            left.pop()
            alone.at(alone.now + MILLISECOND, lambda: alone.send(again))

    again()
    alone.run(until=3)

    assert len(alone.pauses) == 20
    assert alone.pauses[3:] == [0] * 17
    assert max(alone.pauses) <= LONGEST


def test_it_learns_of_companions_without_ever_having_waited() -> None:
    pair = world(2)
    come_back(pair, 2)
    pair.run(until=0.5)

    assert set(pair.sizes[-10:]) == {2}


def test_a_wait_for_clients_begins_when_their_answers_are_written() -> None:
    policy = Waiting(8, 10)
    policy._chances = [1.0] * 8
    policy.took(4.0)
    policy.arrived(1.0, 1)
    policy.freed(5.0, 1)
    before = policy.start(1)

    policy.answered(6.0)

    assert (before, policy.start(1)) == (7.0, 8.0)


def test_a_full_batch_starts_at_once() -> None:
    policy = Waiting(2, 1)
    for moment in range(1, 9):
        policy.arrived(float(moment), 1)
    policy.took(100)

    policy.arrived(9.0, 1)
    policy.arrived(9.5, 2)

    assert policy.start(2) == 9.5
