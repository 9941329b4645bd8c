import pytest
from comparison.generator import Tally, percentile, request


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1.0), (0.5, 51.0), (0.99, 100.0), (1.0, 100.0)]
)
def test_a_percentile_is_a_value_that_was_seen(share: float, value: float) -> None:
    assert percentile([float(n) for n in range(1, 101)], share) == value


def test_the_percentile_of_nothing_is_zero() -> None:
    assert percentile([], 0.99) == 0


def test_a_tally_becomes_a_load_in_milliseconds() -> None:
    load = Tally(latencies=[0.003, 0.001, 0.002], errors=1).load(seconds=1.5)

    assert (load.requests, load.seconds, load.errors) == (3, 1.5, 1)
    assert (load.p50_ms, load.p99_ms) == (2.0, 3.0)


def test_a_request_names_host_type_and_length() -> None:
    head, body = request("http://127.0.0.1:80/predict", b"{}", "text/x").split(
        b"\r\n\r\n"
    )

    assert head.split(b"\r\n") == [
        b"POST /predict HTTP/1.1",
        b"Host: 127.0.0.1:80",
        b"Content-Type: text/x",
        b"Content-Length: 2",
    ]
    assert body == b"{}"
