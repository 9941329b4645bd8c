import os
from typing import Any

import pytest

from cortex_server import board as board_module
from cortex_server.board import Board
from cortex_server.worker.answer import Answer
from cortex_server.worker.call import Call
from cortex_server.worker.prediction import Prediction
from cortex_server.worker.processes.dispatcher import Dispatcher
from cortex_server.worker.processes.errand import Errand


class Process:
    """A test double: takes calls and ends them when the test says so."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.errands: dict[int, Errand] = {}
        self.begun = 0
        self.took: list[str] = []
        self._dispatcher = dispatcher

    def send(self, errand: Errand) -> None:
        assert errand.prediction is not None
        errand.carrier, errand.number = self, len(self.took) + 1
        self.errands[errand.number] = errand
        self.took.append(errand.prediction.call.request_id)

    def give_up(self, errand: Errand) -> None: ...

    def has_begun(self, errand: Errand) -> bool:
        return errand.number <= self.begun

    def end_one(self) -> None:
        del self.errands[min(self.errands)]
        self._dispatcher.go_on()


class Account:
    def __init__(self) -> None:
        self.answers: dict[str, int] = {}

    def count(self, prediction: Prediction, status: int) -> None:
        prediction.is_over = True
        prediction.work = None
        self.answers[prediction.call.request_id] = status

    def too_late(self, prediction: Prediction) -> None: ...


class Replica:
    def __init__(self, processes: int, *, may_repeat: bool = False) -> None:
        fd = board_module.create()
        self.board = Board(fd)
        os.close(fd)
        self.account = Account()
        self.dispatcher = Dispatcher(self.board, may_repeat=may_repeat)
        self.processes = [Process(self.dispatcher) for _ in range(processes)]
        for process in self.processes:
            self.dispatcher.join(process)

    def send(self, *names: str) -> list[Prediction]:
        return [self._send(name) for name in names]

    def _send(self, name: str) -> Prediction:
        call = Call(b"", b"", [], known_as=name.encode())
        prediction = Prediction(self.account, call, _ignore, 0.0)
        self.dispatcher.run(prediction)
        return prediction


def _ignore(_answer: Answer) -> None: ...


def test_a_call_goes_to_whoever_has_least_to_do() -> None:
    replica = Replica(2)
    replica.dispatcher.set_room(5)
    first, second = replica.processes

    replica.send("a", "b", "c")
    first.end_one()
    first.end_one()
    replica.send("d")

    assert (first.took, second.took) == (["a", "c", "d"], ["b"])


def test_what_waits_goes_in_order_to_whoever_is_free_first() -> None:
    replica = Replica(2)
    first, second = replica.processes
    replica.send("a", "b", "c", "d")

    second.end_one()
    second.end_one()

    assert (first.took, second.took) == (["a"], ["b", "c", "d"])


def test_one_that_is_given_up_while_it_waits_never_starts() -> None:
    replica = Replica(1)
    _, gone, _ = replica.send("a", "gone", "b")
    (process,) = replica.processes

    gone.cancel()
    process.end_one()

    assert process.took == ["a", "b"]
    assert replica.account.answers == {"gone": 499}


def test_what_a_dead_process_had_begun_is_lost_and_the_rest_goes_first() -> None:
    replica = Replica(2)
    replica.dispatcher.set_room(2)
    first, second = replica.processes
    replica.send("a", "b", "c", "d", "e")
    first.begun = 1

    replica.dispatcher.leave(first, "was killed")
    second.end_one()

    assert replica.account.answers == {"a": 502}
    assert second.took == ["b", "d", "c"]
    assert (replica.board.lost, replica.board.predictors) == (1, 1)


def test_what_may_run_twice_runs_twice_and_no_more() -> None:
    replica = Replica(3, may_repeat=True)
    first, second, third = replica.processes
    replica.send("a")
    first.begun = second.begun = 1

    replica.dispatcher.leave(first, "was killed")
    assert (replica.account.answers, second.took) == ({}, ["a"])
    replica.dispatcher.leave(second, "was killed")

    assert replica.account.answers == {"a": 502}
    assert third.took == []


@pytest.mark.parametrize("may_repeat", [True, False])
def test_nobody_hears_of_one_that_was_given_up(*, may_repeat: bool) -> None:
    replica = Replica(2, may_repeat=may_repeat)
    first, second = replica.processes
    (gone,) = replica.send("gone")
    first.begun = 1
    gone.cancel()

    replica.dispatcher.leave(first, "was killed")

    assert replica.board.lost == 0
    assert second.took == []


def test_without_a_process_calls_wait_for_the_next() -> None:
    replica = Replica(0)
    replica.send("a", "b")
    process: Any = Process(replica.dispatcher)

    replica.dispatcher.join(process)
    process.end_one()

    assert process.took == ["a", "b"]
