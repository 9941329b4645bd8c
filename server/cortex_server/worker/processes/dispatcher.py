"""The one queue of a replica with several predictor processes.

Whoever came first goes first, to the process that has least to do. A process never has
more calls than it can run, so none waits behind another while a process is free.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Protocol

import structlog

from cortex_server.board import Board
from cortex_server.worker.call import current
from cortex_server.worker.prediction import Prediction
from cortex_server.worker.problems import Problem
from cortex_server.worker.processes.errand import Errand

_LOST = (
    "the process that ran this prediction ended before it had answered; send it again"
    " if it may run twice"
)


class Process(Protocol):
    """A predictor process that is ready."""

    errands: dict[int, Errand]

    def send(self, errand: Errand) -> None:
        """Have it run a call."""

    def has_begun(self, errand: Errand) -> bool:
        """Whether it may have run a part of a call."""


class Dispatcher:
    """Gives predictions to processes.

    Args:
        board: Told how many processes there are, and of lost requests.
        may_repeat: Whether a call may run again that a process has begun and not
            ended; one that has killed two is not tried on a third.
    """

    def __init__(self, board: Board, *, may_repeat: bool) -> None:
        self._board = board
        self._may_repeat = may_repeat
        self._room = 1
        self._processes: list[Process] = []
        self._waiting: OrderedDict[Errand, None] = OrderedDict()

    def set_room(self, calls: int) -> None:
        """So many calls a process can run at a time."""
        self._room = calls

    def run(self, prediction: Prediction) -> None:
        """Have a prediction answered: by the idlest process, or when one is free."""
        errand = Errand(prediction, self)
        prediction.work = errand
        if (process := self._idlest()) is None:
            self._waiting[errand] = None
        else:
            process.send(errand)

    def give_up(self, errand: Errand) -> None:
        """Of an errand that waits: it need not any more."""
        del self._waiting[errand]

    def go_on(self) -> None:
        """A process may be free: give it what has waited longest."""
        while self._waiting and (process := self._idlest()) is not None:
            process.send(self._waiting.popitem(last=False)[0])

    def join(self, process: Process) -> None:
        """A process is ready."""
        self._processes.append(process)
        self._board.predictors = len(self._processes)
        self.go_on()

    def leave(self, process: Process, how: str) -> None:
        """A process has ended: what it had runs again, or is answered."""
        self._processes.remove(process)
        self._board.predictors = len(self._processes)
        errands, process.errands = process.errands, {}
        again = [one for one in errands.values() if self._runs_again(process, one)]
        self._put_first(again)
        for errand in errands.values():
            if errand.prediction is not None and errand.carrier is not self:
                self._lose(errand.prediction, how)
        self.go_on()

    def _idlest(self) -> Process | None:
        least, found = self._room, None
        for process in self._processes:
            if (calls := len(process.errands)) < least:
                least, found = calls, process
        return found

    def _runs_again(self, process: Process, errand: Errand) -> bool:
        if errand.prediction is None or errand.relay is not None:
            return False
        if not process.has_begun(errand):
            return True
        is_first_time = not errand.is_repeated
        errand.is_repeated = True
        return self._may_repeat and is_first_time

    def _put_first(self, errands: Iterable[Errand]) -> None:
        for errand in reversed(list(errands)):
            errand.carrier = self
            self._waiting[errand] = None
            self._waiting.move_to_end(errand, last=False)

    def _lose(self, prediction: Prediction, how: str) -> None:
        self._board.lose()
        outside = current.set(prediction.call)
        structlog.get_logger().error(f"request lost: its predictor process {how}")
        current.reset(outside)
        prediction.end(Problem(502, _LOST).answer(prediction.call.request_id))
