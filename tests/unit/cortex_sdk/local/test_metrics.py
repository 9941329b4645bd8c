import pytest

from cortex_sdk._target import Metrics
from cortex_sdk.local.metrics import add_up

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
    assert found.hooks == {"accepted": 8}


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
