import os
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_server import board as board_module
from cortex_server.board import (
    BATCH_SIZES,
    BUCKETS,
    CODES,
    OUTCOMES,
    Board,
    State,
)


@pytest.fixture
def fd() -> Iterator[int]:
    fd = board_module.create()
    yield fd
    os.close(fd)


@pytest.fixture
def board(fd: int) -> Board:
    return Board(fd)


def test_a_new_board_is_empty(board: Board) -> None:
    assert board.state is State.STARTING
    assert (board.in_flight, board.refused, board.lost, board.count) == (0, 0, 0, 0)
    assert (board.seconds, board.integral(123.0)) == (0, 0)
    assert board.codes == {}
    assert board.hooks == dict.fromkeys(OUTCOMES, 0)
    assert (board.batches, board.batched) == ([0] * len(BATCH_SIZES), 0)
    assert board.buckets == board.hook_buckets == [0] * (len(BUCKETS) + 1)
    assert (board.hooks_queued, board.hook_retries, board.hook_seconds) == (0, 0, 0)


def test_hooks_are_counted_beside_requests(board: Board) -> None:
    board.count_hook("accepted", 3)
    board.count_hook("run")
    board.count_hook("retried")
    board.count_hook("queued", 2)
    board.count_hook("queued", -1)
    board.time_hook(0.0001)
    board.time_hook(1000)

    assert board.hooks == {"accepted": 3, "run": 1, "failed": 0, "dropped": 0}
    assert (board.hooks_left, board.hooks_queued, board.hook_retries) == (2, 1, 1)
    assert board.hook_seconds == 1000.0001
    assert (board.hook_buckets[0], board.hook_buckets[-1]) == (1, 1)
    assert sum(board.hook_buckets) == 2
    assert sum(board.buckets) == 0


def test_hooks_that_a_worker_did_not_get_to_are_dropped_when_it_dies(
    board: Board,
) -> None:
    for outcome, number in zip(OUTCOMES, (9, 3, 2, 1), strict=True):
        board.count_hook(outcome, number)
    board.count_hook("queued", 2)

    board.abandon()
    board.abandon()

    assert board.hooks == {"accepted": 9, "run": 3, "failed": 2, "dropped": 4}
    assert (board.hooks_left, board.hooks_queued) == (0, 0)


def test_what_one_process_writes_another_reads(fd: int) -> None:
    writer, reader = Board(fd), Board(fd)

    writer.state = State.READY
    writer.enter(10.0)
    writer.answered(200, 0.5)
    writer.refuse()
    writer.count_hook("run", 3)

    assert reader.state is State.READY
    assert (reader.in_flight, reader.refused, reader.count) == (1, 1, 1)
    assert reader.integral(12.0) == 2.0
    assert reader.codes == {200: 1, 503: 1}
    assert reader.hooks["run"] == 3


@given(
    st.lists(
        st.tuples(st.integers(0, 1000), st.integers(1, 1000)), min_size=1, max_size=50
    )
)
def test_the_integral_is_the_sum_of_all_times_in_flight(
    requests: list[tuple[int, int]],
) -> None:
    fd = board_module.create()
    board = Board(fd)
    os.close(fd)
    events = [(float(start), 1) for start, _ in requests]
    events += [(float(start + duration), -1) for start, duration in requests]
    for moment, change in sorted(events):
        (board.enter if change > 0 else board.leave)(moment + 1)

    assert board.in_flight == 0
    assert board.integral(5000.0) == sum(duration for _, duration in requests)


def test_those_still_in_flight_count_up_to_now(board: Board) -> None:
    board.enter(10.0)
    board.enter(12.0)

    assert board.integral(13.0) == 4.0


@given(st.floats(0, 1e6))
def test_an_answer_falls_into_the_one_bucket_that_bounds_it(duration: float) -> None:
    fd = board_module.create()
    board = Board(fd)
    os.close(fd)

    board.answered(200, duration)

    (filled,) = [index for index, number in enumerate(board.buckets) if number]
    assert board.buckets[filled] == 1
    assert filled == len(BUCKETS) or duration <= BUCKETS[filled]
    assert filled == 0 or duration > BUCKETS[filled - 1]


@pytest.mark.parametrize("code", CODES)
def test_every_known_code_is_counted_by_itself(board: Board, code: int) -> None:
    board.count_code(code)

    assert board.codes == {code: 1}


@pytest.mark.parametrize(
    ("code", "counted"),
    [(299, 200), (399, 300), (420, 400), (599, 500), (999, 500), (0, 200), (99, 200)],
)
def test_an_unknown_code_counts_as_its_class(
    board: Board, code: int, counted: int
) -> None:
    board.count_code(code)

    assert board.codes == {counted: 1}


def test_a_refusal_is_a_503_that_was_never_in_flight(board: Board) -> None:
    board.refuse()

    assert (board.refused, board.in_flight, board.count) == (1, 0, 0)
    assert board.codes == {503: 1}


def test_what_a_dead_worker_had_is_lost_and_no_more_in_flight(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_module, "time", SimpleNamespace(monotonic=lambda: 15.0))
    board.enter(10.0)
    board.enter(11.0)

    board.abandon()

    assert (board.lost, board.in_flight) == (2, 0)
    assert board.integral(100.0) == 9.0


def test_two_deaths_add_up(board: Board) -> None:
    for _ in range(2):
        board.enter(1.0)
        board.abandon()

    assert board.lost == 2


def test_an_unknown_outcome_is_a_mistake(board: Board) -> None:
    with pytest.raises(KeyError):
        board.count_hook("vanished")


@given(st.integers(1, BATCH_SIZES[-1]))
def test_a_batch_falls_into_the_smallest_size_that_holds_it(size: int) -> None:
    fd = board_module.create()
    board = Board(fd)
    os.close(fd)

    board.count_batch(size)

    (filled,) = [index for index, number in enumerate(board.batches) if number]
    assert board.batches[filled] == 1
    assert BATCH_SIZES[filled] / 2 < size <= BATCH_SIZES[filled]
    assert board.batched == size
    assert sum(board.buckets) == 0
