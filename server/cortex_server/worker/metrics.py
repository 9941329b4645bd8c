"""Metrics of the user's own: prometheus_client's, with rules and bounds.

Values lie in files that the supervisor reads (prometheus_client's multiprocess mode),
so they are seen while the predictor holds the interpreter, and outlive a worker.
"""

import re
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Any, Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

MOST_METRICS = 200
MOST_LABEL_VALUES = 1000
"""Combinations of label values that a metric keeps apart; more count as OTHER."""
LONGEST_LABEL_VALUE = 200
"""Characters of a label value that are kept."""
OTHER = "other"

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,199}")
_OURS = ("cortex_", "process_")
_OUR_LABELS = ("api", "revision", "pid", "le", "quantile")
_ACROSS = {
    "sum": "livesum",
    "max": "livemax",
    "min": "livemin",
    "latest": "livemostrecent",
}

Kind = type[Counter] | type[Gauge] | type[Histogram]
Labels = str | Sequence[str]


class Labelled:
    """A metric with labels: one value per combination of theirs, a bounded number."""

    def __init__(self, metric: Any, name: str, labels: tuple[str, ...]) -> None:  # noqa: ANN401  # of any kind
        self._metric = metric
        self._name = name
        self._labels = labels
        self._children: dict[tuple[str, ...], Any] = {}

    def labels(self, *values: object, **by_name: object) -> Any:  # noqa: ANN401  # of any kind
        """The metric for these label values, given in order or by name."""
        if by_name:
            values = self._in_order(values, by_name)
        key = tuple([str(value)[:LONGEST_LABEL_VALUE] for value in values])
        return self._children.get(key) or self._child(key)

    def _in_order(
        self, values: tuple[object, ...], by_name: dict[str, object]
    ) -> tuple[object, ...]:
        if values or by_name.keys() != set(self._labels):
            raise ValueError(self._wrong())
        return tuple(by_name[name] for name in self._labels)

    def _child(self, key: tuple[str, ...]) -> Any:  # noqa: ANN401  # of any kind
        if len(key) != len(self._labels):
            raise ValueError(self._wrong())
        if len(self._children) >= MOST_LABEL_VALUES:
            return self._other()
        child = self._children[key] = self._metric.labels(*key)
        return child

    def _other(self) -> Any:  # noqa: ANN401  # of any kind
        key = (OTHER,) * len(self._labels)
        if key not in self._children:
            self._children[key] = self._metric.labels(*key)
            structlog.get_logger().warning(
                f"metric `{self._name}` has {MOST_LABEL_VALUES} combinations of label"
                f" values, as many as are kept; new ones count as `{OTHER}`"
            )
        return self._children[key]

    def _wrong(self) -> str:
        names = ", ".join(f"`{name}`" for name in self._labels)
        return f"metric `{self._name}` needs a value for each of its labels: {names}"


class Metrics:
    """What a predictor gets as `metrics`; asking twice for a name gives the same."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._known: dict[str, tuple[tuple[object, ...], Any]] = {}
        self._lock = Lock()

    def counter(self, name: str, description: str = "", labels: Labels = ()) -> Any:  # noqa: ANN401  # Counter or Labelled
        """A number that only grows: `counter(...).inc()`."""
        return self._metric(Counter, name, description, labels)

    def gauge(
        self,
        name: str,
        description: str = "",
        labels: Labels = (),
        across: Literal["sum", "max", "min", "latest"] = "sum",
    ) -> Any:  # noqa: ANN401  # Gauge or Labelled
        """A number that goes up and down: `gauge(...).set(3)`.

        Args:
            name: Letters, digits and underscores.
            description: One line for those who read it.
            labels: Names of labels; values are given by `.labels(...)`.
            across: What the values in several processes of a replica make together.
        """
        if across not in _ACROSS:
            msg = f"`across` of metric `{name}` must be one of {', '.join(_ACROSS)}"
            raise ValueError(msg)
        mode = _ACROSS[across]
        return self._metric(Gauge, name, description, labels, multiprocess_mode=mode)

    def histogram(
        self,
        name: str,
        description: str = "",
        labels: Labels = (),
        buckets: Iterable[float] = Histogram.DEFAULT_BUCKETS,
    ) -> Any:  # noqa: ANN401  # Histogram or Labelled
        """How values are spread: `histogram(...).observe(0.2)`.

        Args:
            name: Letters, digits and underscores.
            description: One line for those who read it.
            labels: Names of labels; values are given by `.labels(...)`.
            buckets: Upper bounds, ascending; unset, from 5 ms to 10 s.
        """
        bounds = tuple(buckets)
        return self._metric(Histogram, name, description, labels, buckets=bounds)

    def _metric(
        self,
        kind: Kind,
        name: str,
        description: str,
        labels: Labels,
        **options: Any,  # noqa: ANN401  # of the kind
    ) -> Any:  # noqa: ANN401  # the kind, or Labelled
        names = (labels,) if isinstance(labels, str) else tuple(labels)
        asked = (kind, names, *options.values())
        with self._lock:
            if name not in self._known:
                self._check(name, names)
                made = self._made(kind, name, description, names, **options)
                self._known[name] = (
                    asked,
                    Labelled(made, name, names) if names else made,
                )
            known, metric = self._known[name]
        if known != asked:
            msg = f"metric `{name}` exists already, of another kind or with other"
            raise ValueError(f"{msg} labels or buckets")
        return metric

    def _made(self, kind: Kind, name: str, *rest: Any, **options: Any) -> Any:  # noqa: ANN401  # of the kind
        options["registry"] = self._registry
        try:
            return kind(name, *rest, **options)
        except ValueError as error:  # `hits` beside `hits_total`, buckets in disorder
            msg = f"metric `{name}` cannot be: {error}"
            raise ValueError(msg) from None

    def _check(self, name: str, labels: tuple[str, ...]) -> None:
        if len(self._known) >= MOST_METRICS:
            msg = f"metric `{name}` is one too many: there can be {MOST_METRICS}"
            raise ValueError(f"{msg}; use a label for what changes")
        if not _NAME.fullmatch(name):
            msg = (
                f"{name!r} is no name of a metric: use letters, digits and underscores"
            )
            raise ValueError(msg)
        if name.startswith(_OURS):
            prefix = name.partition("_")[0]
            msg = f"metric `{name}` may not begin with `{prefix}_`: choose another name"
            raise ValueError(msg)
        for label in labels:
            if not _NAME.fullmatch(label) or label.startswith("__"):
                msg = f"{label!r} of metric `{name}` is no name of a label"
                raise ValueError(f"{msg}: use letters, digits and underscores")
            if label in _OUR_LABELS:
                msg = f"metric `{name}` may not have a label `{label}`: it is reserved"
                raise ValueError(msg)
