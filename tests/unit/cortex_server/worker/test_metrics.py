from typing import Any

import pytest
import structlog

from cortex_server.worker.metrics import (
    LONGEST_LABEL_VALUE,
    MOST_LABEL_VALUES,
    MOST_METRICS,
    OTHER,
    Metrics,
)


def values(metrics: Metrics) -> dict[str, float]:
    """Every sample by name and label values."""
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in metrics._registry.collect()
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def test_each_kind_counts_as_prometheus_client_does() -> None:
    metrics = Metrics()

    metrics.counter("hits", "Hits").inc()
    metrics.gauge("depth").set(3)
    metrics.histogram("size", buckets=[1, 10]).observe(4)

    assert values(metrics) == {
        "hits_total": 1,
        "depth": 3,
        "size_bucket 1.0": 0,
        "size_bucket 10.0": 1,
        "size_bucket +Inf": 1,
        "size_count": 1,
        "size_sum": 4,
    }


def test_a_name_is_asked_for_as_often_as_one_likes() -> None:
    metrics = Metrics()

    for _ in range(3):
        metrics.counter("hits", labels=["kind", "model"]).labels("a", "b").inc()

    assert values(metrics) == {"hits_total a b": 3}


def test_label_values_are_given_in_order_or_by_name() -> None:
    metric = Metrics().counter("hits", labels=("kind", "model"))

    assert metric.labels(1, "b") is metric.labels(model="b", kind=1)


def test_one_label_needs_no_list() -> None:
    metrics = Metrics()

    metrics.gauge("depth", labels="queue").labels("a").set(2)

    assert values(metrics) == {"depth a": 2}


def test_label_values_beyond_the_bound_count_as_other_and_are_told_once() -> None:
    metrics = Metrics()
    metric = metrics.counter("hits", labels="user")

    with structlog.testing.capture_logs() as told:
        for number in range(MOST_LABEL_VALUES + 5):
            metric.labels(number).inc()
        metric.labels(7).inc()

    found = values(metrics)
    assert len(found) == MOST_LABEL_VALUES + 1
    assert found[f"hits_total {OTHER}"] == 5
    assert found["hits_total 7"] == 2
    (line,) = told
    assert line["event"] == (
        "metric `hits` has 1000 combinations of label values, as many as are kept; new"
        " ones count as `other`"
    )


def test_a_label_value_is_cut_where_it_gets_long() -> None:
    metrics = Metrics()

    metrics.counter("hits", labels="text").labels("x" * 10_000).inc()

    assert values(metrics) == {f"hits_total {'x' * LONGEST_LABEL_VALUE}": 1}


@pytest.mark.parametrize(
    ("values", "by_name"), [(("a",), {}), ((), {"kind": "a"}), (("a",), {"model": "b"})]
)
def test_a_label_without_value_is_named(
    values: tuple[str, ...], by_name: dict[str, str]
) -> None:
    metric = Metrics().counter("hits", labels=("kind", "model"))

    with pytest.raises(ValueError, match="a value for each of its labels: `kind`, `mo"):
        metric.labels(*values, **by_name)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"name": "my-metric"}, "'my-metric' is no name of a metric: use letters"),
        ({"name": ""}, "'' is no name of a metric"),
        ({"name": "a:b"}, "'a:b' is no name of a metric"),
        ({"name": "x" * 201}, "is no name of a metric"),
        ({"name": "cortex_hits"}, "`cortex_hits` may not begin with `cortex_`: choose"),
        ({"name": "process_x"}, "`process_x` may not begin with `process_`"),
        ({"labels": "my-label"}, "'my-label' of metric `hits` is no name of a label"),
        ({"labels": "__x"}, "'__x' of metric `hits` is no name of a label"),
        ({"labels": "api"}, "`hits` may not have a label `api`: it is reserved"),
    ],
)
def test_a_name_that_breaks_a_rule_is_refused(
    asked: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        Metrics().counter(**{"name": "hits", **asked})


def test_a_name_stands_for_one_thing() -> None:
    metrics = Metrics()
    metrics.counter("hits")
    metrics.histogram("size", buckets=[1])

    for again in (
        lambda: metrics.gauge("hits"),
        lambda: metrics.counter("hits", labels="kind"),
        lambda: metrics.histogram("size", buckets=[2]),
    ):
        with pytest.raises(ValueError, match="exists already, of another kind or with"):
            again()


def test_what_prometheus_client_refuses_names_the_metric() -> None:
    metrics = Metrics()
    metrics.histogram("size")

    with pytest.raises(ValueError, match="metric `size_sum` cannot be: Duplicated"):
        metrics.gauge("size_sum")
    with pytest.raises(ValueError, match="metric `wide` cannot be: Buckets not in"):
        metrics.histogram("wide", buckets=[2, 1])


def test_how_a_gauge_is_joined_is_one_of_four() -> None:
    with pytest.raises(ValueError, match="`across` of metric `depth` must be one of s"):
        Metrics().gauge("depth", across="all")  # type: ignore[arg-type]  # the claim


def test_names_made_up_by_requests_come_to_an_end() -> None:
    metrics = Metrics()
    for number in range(MOST_METRICS):
        metrics.counter(f"hits_of_{number}")

    with pytest.raises(ValueError, match="one too many: there can be 200; use a label"):
        metrics.counter("one_more")
