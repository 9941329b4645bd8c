import pytest
from comparison.failure import BenchmarkError
from comparison.load import Load, parse

LINE = '{"requests": 500, "seconds": 2.5, "errors": 1, "p50_ms": 3.0, "p99_ms": 9.0}'


def test_reads_the_line_that_follows_what_wrk_prints() -> None:
    output = f"Running 2s test @ http://127.0.0.1:1/\n  Requests/sec: 200\n{LINE}\n"

    assert parse(output) == Load(500, 2.5, 1, 3.0, 9.0)


def test_the_rate_is_requests_by_second() -> None:
    assert parse(LINE).rate == pytest.approx(200)


def test_a_load_that_never_started_has_no_rate() -> None:
    assert Load(0, 0.0, 0, 0.0, 0.0).rate == 0


def test_a_generator_that_printed_nothing_has_failed_with_what_it_said() -> None:
    with pytest.raises(BenchmarkError, match="unable to connect"):
        parse("", "unable to connect to 127.0.0.1\n")
