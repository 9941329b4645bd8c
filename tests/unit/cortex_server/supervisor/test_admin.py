import json
import os
from typing import Any

import pytest

from cortex_server import board as board_module
from cortex_server.board import Board, State
from cortex_server.supervisor.admin import Admin
from cortex_server.supervisor.demand import Demand


class Calls(list[str]):
    def drain(self) -> None:
        self.append("drain")


@pytest.fixture
def board() -> Board:
    fd = board_module.create()
    board = Board(fd)
    os.close(fd)
    return board


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def admin(board: Board, calls: Calls) -> Admin:
    return Admin(board, Demand(board), lambda: b"metrics", calls.drain)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (State.STARTING, 503),
        (State.READY, 200),
        (State.DRAINING, 503),
        (State.FAILED, 503),
    ],
)
def test_is_ready_only_when_it_is_and_alive_always(
    admin: Admin, board: Board, state: State, status: int
) -> None:
    board.state = state
    board.predictors = 1

    assert admin.get("/readyz") == (status, {"status": state.name.lower()})
    assert admin.get("/healthz") == (200, {"status": "alive"})


def test_is_not_ready_while_all_its_predictors_are_starting_again(
    admin: Admin, board: Board
) -> None:
    board.state, board.predictors = State.READY, 0

    assert admin.get("/readyz") == (503, {"status": "starting"})


def test_metrics_are_text(admin: Admin) -> None:
    assert admin.get("/metrics") == (200, b"metrics")


@pytest.mark.parametrize(
    "path", ["/in-flight/60", "/in-flight/0.5", "/in-flight/3600", "/in-flight/1?a=b"]
)
def test_any_window_of_the_last_hour_can_be_asked_for(admin: Admin, path: str) -> None:
    assert admin.get(path) == (200, {"in_flight": 0})


@pytest.mark.parametrize("window", ["0", "-1", "3601", "nan", "inf", "x", "1e999"])
def test_any_other_window_is_refused_with_the_limits(admin: Admin, window: str) -> None:
    status, body = admin.get(f"/in-flight/{window}")

    assert status == 400
    assert body["detail"] == (
        f"the window must be from 1 to 3600 seconds, got {window!r}"
    )


def test_drain_is_asked_for_by_post_only(admin: Admin, calls: Calls) -> None:
    assert admin.get("/drain")[0] == 404
    assert calls == []

    assert admin.post("/drain") == (202, {"status": "draining"})
    assert calls == ["drain"]


@pytest.mark.parametrize("path", ["/", "", "/nope", "/in-flight", "/readyz/x"])
def test_there_is_nothing_else(admin: Admin, path: str) -> None:
    answers: list[tuple[int, Any]] = [admin.get(path), admin.post(path)]

    assert [status for status, _ in answers] == [404, 404]
    assert json.dumps([body for _, body in answers])
