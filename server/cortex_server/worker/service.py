"""Predictions are taken on, counted, and held to their limits."""

from random import random
from time import monotonic
from typing import Any, Protocol

import structlog

from cortex_server.board import Board
from cortex_server.manifest import Manifest
from cortex_server.worker.answer import Answer
from cortex_server.worker.call import Call, current
from cortex_server.worker.deadlines import Deadlines
from cortex_server.worker.prediction import Prediction, Reply
from cortex_server.worker.problems import Problem

_RETRY_AFTER = {"Retry-After": "1"}


class Runs(Protocol):
    """Makes the answer of a prediction."""

    def run(self, prediction: Prediction) -> None:
        """Answer it now or later, by `prediction.end`."""

    async def ask(self, name: str, data: Any) -> list[Any]:  # noqa: ANN401  # plain data
        """Ask each process that has a predictor something; all replies."""

    async def drain(self, seconds: float) -> None:
        """Let what follows the responses finish, for so long at most."""


class Service:
    """The one queue of a replica: bounded, with a time limit, all counted."""

    def __init__(self, manifest: Manifest, board: Board, runner: Runs) -> None:
        self._run = runner.run
        self.ask = runner.ask
        self._limit = manifest.max_replica_concurrency
        self._timeout = manifest.timeout
        self._deadlines = Deadlines(manifest.timeout)
        self._share = manifest.log_requests
        self._slow = manifest.log_slow
        self._board = board

    @property
    def is_ready(self) -> bool:
        """Whether the replica says that it takes requests."""
        return self._board.is_ready

    def begin(self, call: Call, reply: Reply) -> Prediction | None:
        """Take on a prediction, or refuse it at once.

        Returns None when it has been answered already.
        """
        board, started = self._board, monotonic()
        if board.in_flight >= self._limit:
            reply(self._refused(call))
            return None
        board.enter(started)
        prediction = Prediction(self, call, reply, started)
        self._run(prediction)
        if prediction.is_over:
            return None
        self._deadlines.watch(prediction)
        return prediction

    def too_late(self, prediction: Prediction) -> None:
        """Answer a prediction that took longer than the time limit."""
        call = prediction.call
        current.set(call)
        structlog.get_logger().error("request timed out", timeout=self._timeout)
        detail = f"the prediction took more than {self._timeout:g} seconds"
        prediction.end(Problem(504, detail).answer(call.request_id))

    def count(self, prediction: Prediction, status: int) -> None:
        """Let go of a prediction that ended with this status."""
        prediction.is_over = True
        # They lead back here: large payloads would wait for gc.
        prediction.work = prediction.stream = None
        self._deadlines.forget(prediction)
        ended = monotonic()
        took = ended - prediction.started
        self._board.leave(ended)
        self._board.answered(status, took)
        if took >= self._slow or (self._share and random() < self._share):  # noqa: S311  # a sample
            self._tell(prediction.call, status, took)

    def count_other(self, status: int) -> None:
        """Count an answer to what never became a prediction."""
        self._board.count_code(status)

    def _tell(self, call: Call, status: int, seconds: float) -> None:
        current.set(call)
        logger = structlog.get_logger()
        is_slow = seconds >= self._slow
        level, event = ("warning", "slow request") if is_slow else ("info", "request")
        getattr(logger, level)(event, status=status, seconds=round(seconds, 6))

    def _refused(self, call: Call) -> Answer:
        self._board.refuse()
        detail = (
            f"this replica has {self._limit} requests in flight, as many as it takes;"
            " try again later"
        )
        return Problem(503, detail, headers=_RETRY_AFTER).answer(call.request_id)
