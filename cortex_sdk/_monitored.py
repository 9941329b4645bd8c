"""What the predictions of several replicas say together, and what users count."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable

from prometheus_client.samples import Sample

_VALUE = "cortex_prediction_value"
_REPLICAS_OWN = ("cortex_", "process_")
_LABELS_OF_ALL = ("api", "revision")


def classes(samples: Iterable[Sample]) -> dict[str, int]:
    """Predictions by class, the most frequent first."""
    return _counted(samples, "cortex_predictions_total", "class")


def unmonitored(samples: Iterable[Sample]) -> dict[str, int]:
    """Responses that hold no prediction, by reason."""
    return _counted(samples, "cortex_predictions_unmonitored_total", "reason")


def values(samples: Iterable[Sample]) -> dict[str, float]:
    """Statistics of predicted numbers, {} where there are none."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for sample in samples:
        if sample.name.startswith(_VALUE):
            found[sample.name.removeprefix(f"{_VALUE}_")].append(sample.value)
    count = sum(found["count"])
    if not count:
        return {}
    mean = sum(found["sum"]) / count
    variance = sum(found["squares_total"]) / count - mean * mean
    return {
        "count": count,
        "mean": mean,
        "deviation": math.sqrt(max(variance, 0.0)),
        "min": min(found["min"], default=mean),
        "max": max(found["max"], default=mean),
    }


def custom(samples: Iterable[Sample]) -> dict[str, float]:
    """Sums of what else is there, without the buckets of histograms."""
    sums: defaultdict[str, float] = defaultdict(float)
    for sample in samples:
        if not sample.name.startswith(_REPLICAS_OWN) and "le" not in sample.labels:
            sums[_written(sample)] += sample.value
    return dict(sums)


def _counted(samples: Iterable[Sample], name: str, by: str) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for sample in samples:
        if sample.name == name:
            counts[sample.labels[by]] += int(sample.value)
    return dict(counts.most_common())


def _written(sample: Sample) -> str:
    labels = ",".join(
        f'{name}="{value}"'
        for name, value in sorted(sample.labels.items())
        if name not in _LABELS_OF_ALL
    )
    return f"{sample.name}{{{labels}}}" if labels else sample.name
