"""Predictions with spans: in the service that takes them on, and in a predictor."""

from typing import TYPE_CHECKING, Any

from cortex_server.board import Board
from cortex_server.interface import Interface
from cortex_server.manifest import Manifest
from cortex_server.worker.answer import Answer
from cortex_server.worker.call import Call
from cortex_server.worker.prediction import Prediction, Reply
from cortex_server.worker.service import Runs, Service

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from cortex_server.worker.spans import Tracing


class TracedService(Service):
    """Opens a span for each request, and closes it with the status of its answer."""

    def __init__(
        self, manifest: Manifest, board: Board, runner: Runs, tracing: "Tracing"
    ) -> None:
        super().__init__(manifest, board, runner)
        self._tracing = tracing
        self._spans: dict[Call, Span] = {}

    def begin(self, call: Call, reply: Reply) -> Prediction | None:
        """Take on a prediction, or refuse it at once."""
        self._spans[call] = self._tracing.open(call)
        return super().begin(call, reply)

    def count(self, prediction: Prediction, status: int) -> None:
        """Let go of a prediction that ended with this status."""
        super().count(prediction, status)
        self._close(prediction.call, status)

    def _refused(self, call: Call) -> Answer:
        answer = super()._refused(call)
        self._close(call, answer.status)
        return answer

    def _close(self, call: Call, status: int) -> None:
        self._tracing.close(self._spans.pop(call), status)


class TracedPredictor:
    """A predictor whose methods for requests have spans.

    Args:
        predictor: The user's.
        interface: Names the methods.
        tracing: Makes the spans.
    """

    def __init__(
        self,
        predictor: Any,  # noqa: ANN401  # the user's
        interface: Interface,
        tracing: "Tracing",
    ) -> None:
        self._predictor = predictor
        for method in (interface.predict, interface.post_predict):
            if method is not None:
                function = getattr(predictor, method.name)
                setattr(self, method.name, tracing.traced(function, method.name))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # the user's
        """All else is the user's."""
        return getattr(self._predictor, name)
