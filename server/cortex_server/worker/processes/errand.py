"""A prediction on its way to a predictor process, through it, and back."""

from typing import Protocol

from cortex_server.worker.prediction import Prediction
from cortex_server.worker.processes.relay import Relay


class Carrier(Protocol):
    """Where an errand is: among those that wait, or with a process."""

    def give_up(self, errand: "Errand") -> None:
        """Nobody waits for its prediction any more."""


class Errand:
    """What is done for a prediction.

    Args:
        prediction: What is to be answered.
        carrier: Where it is.
    """

    __slots__ = ("carrier", "is_repeated", "number", "prediction", "relay")

    def __init__(self, prediction: Prediction, carrier: Carrier) -> None:
        self.prediction: Prediction | None = prediction
        """None once nobody waits for it: what it holds may be large."""
        self.carrier = carrier
        self.number = 0
        self.is_repeated = False
        self.relay: Relay | None = None
        """Passes the response on, if it is made while it is sent and has begun."""

    def give_up(self) -> None:
        """Nobody waits for the prediction any more."""
        if self.prediction is not None:
            self.prediction = None
            self.carrier.give_up(self)
