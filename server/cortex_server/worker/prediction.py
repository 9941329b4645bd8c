"""A prediction under way: who waits for it, and what is done for it."""

from collections.abc import Callable
from typing import Any, Protocol

from cortex_server.worker.answer import Answer, Streamed
from cortex_server.worker.call import Call
from cortex_server.worker.stream import CLIENT_CLOSED_REQUEST

Reply = Callable[[Answer], None]
"""Writes a response; called once, on the loop."""


class Undertaking(Protocol):
    """What is done for a prediction."""

    def give_up(self) -> None:
        """Nobody waits any more."""


class Keeper(Protocol):
    """Who keeps account of predictions."""

    def count(self, prediction: "Prediction", status: int) -> None:
        """Let go of a prediction that ended with this status."""

    def too_late(self, prediction: "Prediction") -> None:
        """Answer a prediction that took longer than the time limit."""


class Prediction:
    """An accepted request, until it is answered or nobody waits for it."""

    __slots__ = (
        "call",
        "is_over",
        "keeper",
        "payload",
        "reply",
        "started",
        "stream",
        "work",
    )

    def __init__(
        self, keeper: Keeper, call: Call, reply: Reply, started: float
    ) -> None:
        self.keeper = keeper
        self.call = call
        self.reply = reply
        self.started = started
        self.payload: Any = None
        self.work: Undertaking | None = None
        self.stream: Streamed | None = None
        """What answers it at the moment, if it is a stream that has begun."""
        self.is_over = False

    def end(self, answer: Answer) -> None:
        """Answer it, on the loop; once more breaks off a stream that has begun."""
        if self.stream is not None:
            self.stream.break_off(answer)
        elif answer.stream is None:
            self.keeper.count(self, answer.status)
            self.reply(answer)
        else:
            self.stream = answer.stream
            self.reply(answer)

    def finish(self, status: int) -> None:
        """Let go of it: its stream has ended, and counts as this status."""
        if not self.is_over:
            self.keeper.count(self, status)

    def expire(self) -> None:
        """The time limit has passed."""
        self._give_up()
        self.keeper.too_late(self)

    def cancel(self) -> None:
        """The client has hung up."""
        if not self.is_over:
            self._give_up()
            self.keeper.count(self, CLIENT_CLOSED_REQUEST)

    def _give_up(self) -> None:
        if self.work is not None:
            self.work.give_up()
