import os
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cortex_server import board as board_module
from cortex_server.board import BATCH_SIZES, BUCKETS, Board, State
from cortex_server.supervisor.metrics import Exposition

LABELS = {"api": "iris", "revision": "abc"}
NOWHERE = Path("/nowhere")


@pytest.fixture
def board() -> Board:
    fd = board_module.create()
    board = Board(fd)
    os.close(fd)
    return board


def samples(board: Board) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Values by name, as a scraper reads them; all have the labels."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    text = Exposition(board, LABELS, os.getpid(), NOWHERE).text().decode()
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            if sample.name.startswith("cortex_"):
                assert sample.labels.items() >= LABELS.items()
            rest = {k: v for k, v in sample.labels.items() if k not in LABELS}
            found.setdefault(sample.name, []).append((rest, sample.value))
    return found


def test_counts_and_states_are_those_of_the_board(board: Board) -> None:
    board.state, board.predictors = State.READY, 3
    board.count_restart()
    for _ in range(3):
        board.enter(1.0)
    board.leave(2.0)
    board.answered(200, 0.5)
    board.answered(200, 0.5)
    board.answered(422, 0.25)
    board.refuse()
    board.count_hook("accepted", 4)
    board.count_hook("dropped")
    board.count_hook("queued", 3)
    board.count_hook("retried", 2)

    found = samples(board)

    by_code = {
        labels["code"]: value for labels, value in found["cortex_requests_total"]
    }
    assert by_code == {"200": 2, "422": 1, "503": 1}
    assert found["cortex_in_flight_requests"] == [({}, 2)]
    assert found["cortex_refused_requests_total"] == [({}, 1)]
    assert found["cortex_lost_requests_total"] == [({}, 0)]
    assert found["cortex_ready"] == [({}, 1)]
    assert found["cortex_predictors"] == [({}, 3)]
    assert found["cortex_process_restarts_total"] == [({}, 1)]
    hooks = {
        labels["outcome"]: value for labels, value in found["cortex_post_predict_total"]
    }
    assert hooks == {"accepted": 4, "run": 0, "failed": 0, "dropped": 1}
    assert found["cortex_post_predict_queued"] == [({}, 3)]
    assert found["cortex_post_predict_retries_total"] == [({}, 2)]


@pytest.mark.parametrize("state", [s for s in State if s is not State.READY])
def test_only_ready_is_ready(board: Board, state: State) -> None:
    board.state = state

    assert samples(board)["cortex_ready"] == [({}, 0)]


def test_lost_requests_are_counted(board: Board) -> None:
    board.enter(1.0)
    board.abandon()

    assert samples(board)["cortex_lost_requests_total"] == [({}, 1)]


@pytest.mark.parametrize("what", ["request", "post_predict"])
def test_the_histogram_is_cumulated_and_complete(board: Board, what: str) -> None:
    for duration in (0.0001, 0.003, 0.003, 7, 9999):
        if what == "request":
            board.answered(200, duration)
        else:
            board.time_hook(duration)

    found = samples(board)
    name = f"cortex_{what}_duration_seconds"

    buckets = [
        (float(labels["le"]), value) for labels, value in found[f"{name}_bucket"]
    ]
    assert [bound for bound, _ in buckets] == [*BUCKETS, float("inf")]
    below = dict(buckets)
    assert [below[bound] for bound in (0.0005, 0.005, 5.0, 600.0)] == [1, 3, 3, 4]
    assert below[float("inf")] == 5
    assert found[f"{name}_count"] == [({}, 5)]
    ((_, total),) = found[f"{name}_sum"]
    assert total == pytest.approx(10006.0061)


def test_a_new_board_has_all_its_names_but_no_codes(board: Board) -> None:
    found = samples(board)

    assert "cortex_requests_total" not in found
    assert found["cortex_request_duration_seconds_count"] == [({}, 0)]


def test_a_worker_that_is_gone_does_not_break_the_scrape(board: Board) -> None:
    text = Exposition(board, LABELS, 0, NOWHERE).text()

    assert b"cortex_ready" in text


def test_batches_are_a_histogram_where_there_are_some(board: Board) -> None:
    assert "cortex_batch_size_count" not in samples(board)
    for size in (1, 3, 32):
        board.count_batch(size)

    found = samples(board)

    below = {
        float(labels["le"]): value
        for labels, value in found["cortex_batch_size_bucket"]
    }
    assert list(below) == [*BATCH_SIZES, float("inf")]
    assert [below[size] for size in (1, 2, 4, 16, 32, 1024)] == [1, 1, 2, 2, 3, 3]
    assert below[float("inf")] == 3
    assert found["cortex_batch_size_count"] == [({}, 3)]
    assert found["cortex_batch_size_sum"] == [({}, 36)]
