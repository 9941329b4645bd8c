from statistics import fmean, pstdev

import pytest

from cortex_sdk._counting import add_up
from cortex_sdk._target import Metrics

LABELS = 'api="iris",revision="a"'


def exposition(fast: int, slow: int, in_flight: int = 0) -> str:
    total = fast + slow
    return f"""
# TYPE cortex_requests_total counter
cortex_requests_total{{{LABELS},code="200"}} {fast}
cortex_requests_total{{{LABELS},code="500"}} {slow}
# TYPE cortex_in_flight_requests gauge
cortex_in_flight_requests{{{LABELS}}} {in_flight}
# TYPE cortex_post_predict_total counter
cortex_post_predict_total{{{LABELS},outcome="accepted"}} {fast}
# TYPE cortex_post_predict_queued gauge
cortex_post_predict_queued{{{LABELS}}} 2
# TYPE cortex_post_predict_retries_total counter
cortex_post_predict_retries_total{{{LABELS}}} 1
# TYPE cortex_request_duration_seconds histogram
cortex_request_duration_seconds_bucket{{{LABELS},le="0.1"}} {fast}
cortex_request_duration_seconds_bucket{{{LABELS},le="1.0"}} {total}
cortex_request_duration_seconds_bucket{{{LABELS},le="+Inf"}} {total}
cortex_request_duration_seconds_sum{{{LABELS}}} {slow * 0.5}
cortex_request_duration_seconds_count{{{LABELS}}} {total}
"""


def test_replicas_are_added_up() -> None:
    found = add_up([exposition(3, 1, in_flight=2), exposition(5, 0, in_flight=1)])

    assert found.requests == {"200": 8, "500": 1}
    assert found.in_flight == 3
    assert found.hooks == {"accepted": 8, "queued": 4, "retried": 2}


def test_batches_are_added_up() -> None:
    def batches(number: int, requests: int) -> str:
        return f"""
# TYPE cortex_batch_size histogram
cortex_batch_size_bucket{{{LABELS},le="+Inf"}} {number}
cortex_batch_size_sum{{{LABELS}}} {requests}
cortex_batch_size_count{{{LABELS}}} {number}
"""

    found = add_up([batches(3, 40), batches(1, 20), exposition(1, 0)])

    assert (found.batches, found.batch_size) == (4, 15)


def test_the_mean_is_exact() -> None:
    found = add_up([exposition(3, 1)])

    assert found.latency["mean"] == pytest.approx(0.125)


def test_quantiles_are_read_off_the_buckets() -> None:
    found = add_up([exposition(100, 0)])

    assert found.latency["p50"] == pytest.approx(0.05)
    assert found.latency["p90"] == pytest.approx(0.09)


def test_a_quantile_in_a_later_bucket_lies_between_its_bounds() -> None:
    found = add_up([exposition(50, 50)])

    assert found.latency["p50"] == pytest.approx(0.1)
    assert 0.1 < found.latency["p90"] < 1


def test_a_quantile_beyond_all_bounds_is_the_last_bound() -> None:
    text = (
        exposition(1, 0)
        .replace('le="+Inf"}} 1', "")
        .replace('le="+Inf"} 1', 'le="+Inf"} 100')
    )

    assert add_up([text]).latency["p99"] == 1.0


def test_nothing_counted_is_nothing_said() -> None:
    assert add_up([]) == Metrics()
    assert add_up([""]) == Metrics()


def predictions(*, low: float, high: float, count: int) -> str:
    name = "cortex_prediction_value"
    squares = count / 2 * (low * low + high * high)
    return f"""
# TYPE cortex_predictions counter
cortex_predictions_total{{{LABELS},class="rose"}} {count}
cortex_predictions_total{{{LABELS},class="tulip"}} 4
# TYPE {name} summary
{name}_count{{{LABELS}}} {count}
{name}_sum{{{LABELS}}} {count / 2 * (low + high)}
# TYPE {name}_squares counter
{name}_squares_total{{{LABELS}}} {squares}
# TYPE {name}_min gauge
{name}_min{{{LABELS}}} {low}
# TYPE {name}_max gauge
{name}_max{{{LABELS}}} {high}
# TYPE cortex_predictions_unmonitored counter
cortex_predictions_unmonitored_total{{{LABELS},reason="no_key"}} 1
"""


def test_classes_are_added_up_the_most_frequent_first() -> None:
    found = add_up([predictions(low=0, high=0, count=n) for n in (2, 3)])

    assert list(found.classes.items()) == [("tulip", 8), ("rose", 5)]
    assert found.unmonitored == {"no_key": 2}


def test_numbers_of_all_replicas_have_one_mean_and_one_deviation() -> None:
    found = add_up(
        [
            predictions(low=1, high=3, count=2),
            predictions(low=-5, high=9, count=2),
            exposition(1, 0),
        ]
    )

    numbers = [1, 3, -5, 9]
    assert found.values == {
        "count": 4,
        "mean": pytest.approx(fmean(numbers)),
        "deviation": pytest.approx(pstdev(numbers)),
        "min": -5,
        "max": 9,
    }


def test_equal_numbers_deviate_by_nothing() -> None:
    found = add_up([predictions(low=0.1, high=0.1, count=3)])

    assert found.values["deviation"] == pytest.approx(0, abs=1e-6)


def test_metrics_of_the_predictor_are_summed_by_name_and_labels() -> None:
    text = f"""
# TYPE hits counter
hits_total{{{LABELS},kind="a"}} 2
# TYPE size histogram
size_bucket{{{LABELS},le="+Inf"}} 7
size_count{{{LABELS}}} 7
size_sum{{{LABELS}}} 0.5
# TYPE process_open_fds gauge
process_open_fds 5
"""

    found = add_up([text, text, predictions(low=0, high=0, count=1)])

    assert found.custom == {'hits_total{kind="a"}': 4, "size_count": 14, "size_sum": 1}
