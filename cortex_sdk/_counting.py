"""Adding up what the replicas of an API counted."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from cortex_sdk import _monitored
from cortex_sdk._target import Metrics

_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}

_HOOKS = {
    "cortex_post_predict_total": "",  # by outcome
    "cortex_post_predict_queued": "queued",
    "cortex_post_predict_retries_total": "retried",
}


def add_up(texts: Iterable[str]) -> Metrics:
    """The sum of several Prometheus expositions."""
    requests: Counter[str] = Counter()
    hooks: Counter[str] = Counter()
    buckets: Counter[float] = Counter()
    sums: defaultdict[str, float] = defaultdict(float)
    samples = list(_samples(texts))
    for sample in samples:
        match sample.name:
            case "cortex_requests_total":
                requests[sample.labels["code"]] += int(sample.value)
            case name if name in _HOOKS:
                hooks[_HOOKS[name] or sample.labels["outcome"]] += int(sample.value)
            case "cortex_request_duration_seconds_bucket":
                buckets[float(sample.labels["le"])] += int(sample.value)
            case name:
                sums[name] += sample.value
    count = sums["cortex_request_duration_seconds_count"]
    batches = sums["cortex_batch_size_count"]
    mean = sums["cortex_request_duration_seconds_sum"] / count if count else 0.0
    return Metrics(
        requests=dict(requests),
        in_flight=int(sums["cortex_in_flight_requests"]),
        latency={"mean": mean, **_quantiles(buckets)} if count else {},
        hooks=dict(hooks),
        batches=int(batches),
        batch_size=sums["cortex_batch_size_sum"] / batches if batches else 0.0,
        classes=_monitored.classes(samples),
        values=_monitored.values(samples),
        unmonitored=_monitored.unmonitored(samples),
        custom=_monitored.custom(samples),
    )


def _samples(texts: Iterable[str]) -> Iterator[Sample]:
    for text in texts:
        for family in text_string_to_metric_families(text):
            yield from family.samples


def _quantiles(buckets: Counter[float]) -> dict[str, float]:
    return {name: _quantile(share, buckets) for name, share in _QUANTILES.items()}


def _quantile(share: float, buckets: Counter[float]) -> float:
    """Where a share of all values lies, as if they were spread evenly in a bucket."""
    bounds = sorted(buckets)
    rank = share * buckets[bounds[-1]]
    low = below = 0.0
    for bound in bounds:
        inside = buckets[bound] - below
        if buckets[bound] >= rank and inside:
            if bound == float("inf"):
                return low
            return low + (bound - low) * (rank - below) / inside
        low, below = bound, buckets[bound]
    return low
