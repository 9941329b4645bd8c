"""The board in Prometheus' words."""

from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from cortex_server.board import BATCH_SIZES, BUCKETS, Board
from cortex_server.supervisor.user_metrics import UserMetrics


class _BoardCollector(Collector):
    def __init__(self, board: Board, labels: dict[str, str]) -> None:
        self._board = board
        self._names = list(labels)
        self._values = list(labels.values())

    def collect(self) -> Iterator[Metric]:
        board = self._board
        codes = {str(code): number for code, number in board.codes.items()}
        yield self._counts("cortex_requests", "Responses by status", "code", codes)
        yield self._histogram(
            "cortex_request_duration_seconds",
            "From the request's arrival to its answer",
            board.buckets,
            board.seconds,
        )
        if board.batched:
            yield self._histogram(
                "cortex_batch_size",
                "Requests that shared a call of the predictor",
                [*board.batches, 0],  # none is larger
                board.batched,
                BATCH_SIZES,
            )
        yield self._gauge(
            "cortex_in_flight_requests",
            "Accepted and not answered yet",
            board.in_flight,
        )
        yield self._counter(
            "cortex_refused_requests", "Turned away with 503: full", board.refused
        )
        yield self._counter(
            "cortex_lost_requests", "In flight when a process died", board.lost
        )
        yield self._counter(
            "cortex_process_restarts", "Started in place of dead ones", board.restarts
        )
        yield self._counts(
            "cortex_post_predict", "Calls after the response", "outcome", board.hooks
        )
        yield self._gauge(
            "cortex_post_predict_queued",
            "Calls that wait for a worker, or to be tried again",
            board.hooks_queued,
        )
        yield self._counter(
            "cortex_post_predict_retries", "Calls tried again", board.hook_retries
        )
        yield self._histogram(
            "cortex_post_predict_duration_seconds",
            "How long a call kept its worker busy, each try by itself",
            board.hook_buckets,
            board.hook_seconds,
        )
        yield self._gauge(
            "cortex_predictors", "Processes that can predict", board.predictors
        )
        yield self._gauge(
            "cortex_ready", "1 when predictions are answered", board.is_ready
        )

    def _counter(self, name: str, text: str, value: float) -> Metric:
        family = CounterMetricFamily(name, text, labels=self._names)
        family.add_metric(self._values, value)
        return family

    def _gauge(self, name: str, text: str, value: float) -> Metric:
        family = GaugeMetricFamily(name, text, labels=self._names)
        family.add_metric(self._values, value)
        return family

    def _counts(self, name: str, text: str, by: str, values: dict[str, int]) -> Metric:
        family = CounterMetricFamily(name, text, labels=[*self._names, by])
        for key, value in values.items():
            family.add_metric([*self._values, key], value)
        return family

    def _histogram(
        self,
        name: str,
        text: str,
        numbers: list[int],
        total: float,
        sizes: tuple[float, ...] = BUCKETS,
    ) -> Metric:
        bounds = [*(str(float(size)) for size in sizes), "+Inf"]
        buckets = list(zip(bounds, map(float, accumulate(numbers)), strict=True))
        family = HistogramMetricFamily(name, text, labels=self._names)
        family.add_metric(self._values, buckets, total)
        return family


class Exposition:
    """The text that a scraper gets: board, process, and metrics of the user's own."""

    def __init__(
        self, board: Board, labels: dict[str, str], worker: int, folder: Path
    ) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_BoardCollector(board, labels))
        self._registry.register(UserMetrics(folder, labels))
        ProcessCollector(pid=lambda: worker, registry=self._registry)

    def text(self) -> bytes:
        """All metrics in the Prometheus text format."""
        return generate_latest(self._registry)
