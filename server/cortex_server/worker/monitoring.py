"""What predictions say, counted: classes by name, numbers by their statistics.

It looks at results after they were answered, and nothing that it meets is an error
for a client: a prediction that does not fit is counted as such.
"""

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from time import monotonic
from typing import Any, Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Summary

from cortex_server.manifest import Monitoring
from cortex_server.worker.call import Call, current
from cortex_server.worker.metrics import Labelled

_PAUSE = 60.0
"""Seconds between two complaints in the log."""


class _UnfitError(ValueError):
    """A result is no prediction of the declared kind."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Monitor:
    """Takes the results of `predict`, one prediction in each."""

    def __init__(
        self, monitoring: Monitoring, registry: CollectorRegistry | None = None
    ) -> None:
        self._key = monitoring.key
        kind = _KINDS[monitoring.model_type]
        self._take: Callable[[Any], None] = kind(registry).take
        self._unfit = Counter(
            "cortex_predictions_unmonitored",
            "Responses without a prediction of the declared kind",
            ["reason"],
            registry=registry,
        )
        self._told = -math.inf

    def see(self, call: Call, result: Any) -> None:  # noqa: ANN401  # the user's data
        """Count the result of a call; raises nothing."""
        try:
            value = result if self._key is None else _at(result, self._key)
            self._take(value.item() if getattr(value, "ndim", None) == 0 else value)
        except _UnfitError as unfit:
            self._complain(call, unfit.reason, str(unfit))
        except Exception as error:  # noqa: BLE001  # the user's objects
            self._complain(call, "error", f"reading it raised {_kind(error)}")

    def _complain(self, call: Call, reason: str, text: str) -> None:
        self._unfit.labels(reason).inc()
        now = monotonic()
        if now - self._told >= _PAUSE:
            self._told = now
            current.set(call)
            structlog.get_logger().warning(f"prediction not monitored: {text}")


class _Classes:
    def __init__(self, registry: CollectorRegistry | None) -> None:
        name = "cortex_predictions"
        counter = Counter(name, "Predictions by class", ["class"], registry=registry)
        self._counts = Labelled(counter, name, ("class",))

    def take(self, value: object) -> None:
        if isinstance(value, bool):
            value = str(value).lower()  # as it is in JSON
        is_whole = isinstance(value, float) and value.is_integer()
        if not (is_whole or isinstance(value, str | int)):
            msg = f"a class is text, a whole number or a boolean, not {_kind(value)}"
            raise _UnfitError("no_class", msg)
        self._counts.labels(value).inc()


class _Values:
    def __init__(self, registry: CollectorRegistry | None) -> None:
        self._registry = registry
        name, text = "cortex_prediction_value", "Predicted numbers"
        self._summary = Summary(name, text, registry=registry)
        text = "Sum of the squares of predicted numbers"
        self._squares = Counter(f"{name}_squares", text, registry=registry)
        self._least, self._most = math.inf, -math.inf

    def take(self, value: object) -> None:
        number = _number(value)
        self._summary.observe(number)
        self._squares.inc(number * number)
        # A gauge is 0 as soon as it exists: it does not before there is a number.
        if number < self._least:
            self._least = number
            self._low.set(number)
        if number > self._most:
            self._most = number
            self._high.set(number)

    @cached_property
    def _low(self) -> Gauge:
        return self._extreme("min", "The least predicted number")

    @cached_property
    def _high(self) -> Gauge:
        return self._extreme("max", "The greatest predicted number")

    def _extreme(self, mode: Literal["min", "max"], text: str) -> Gauge:
        name = f"cortex_prediction_value_{mode}"
        return Gauge(name, text, multiprocess_mode=mode, registry=self._registry)


_KINDS: dict[str, type[_Classes] | type[_Values]] = {
    "classification": _Classes,
    "regression": _Values,
}


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _UnfitError("no_number", f"a number is needed, not {_kind(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _UnfitError("no_number", f"a finite number is needed, not {number}")
    return number


def _at(result: Any, key: str) -> Any:  # noqa: ANN401  # the user's data
    """The value of a key, or of a field of what becomes a JSON object."""
    is_mapping = isinstance(result, Mapping)
    if not (key in result if is_mapping else hasattr(result, key)):
        text = f"the response, of type {_kind(result)}, has no key {key!r}"
        raise _UnfitError("no_key", text)
    return result[key] if is_mapping else getattr(result, key)


def _kind(value: object) -> str:
    return type(value).__name__
