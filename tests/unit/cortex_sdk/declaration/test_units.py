from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_sdk.declaration.units import cores, seconds, size, size_text

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
POWERS = {
    "k": 1000,
    "M": 1000**2,
    "G": 1000**3,
    "T": 1000**4,
    "P": 1000**5,
    "Ki": 1024,
    "Mi": 1024**2,
    "Gi": 1024**3,
    "Ti": 1024**4,
    "Pi": 1024**5,
}
NO_QUANTITY = st.text(max_size=8).filter(lambda text: not text[:1].isdecimal())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (60, 60),
        (0.5, 0.5),
        ("60s", 60),
        ("1m30s", 90),
        ("1.5h", 5400),
        ("250ms", 0.25),
        ("1d2h3m4s5ms", 93784.005),
        (timedelta(minutes=2), 120),
    ],
)
def test_a_duration_has_many_forms(value: object, expected: float) -> None:
    assert seconds(value) == pytest.approx(expected)


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(list(UNITS))), min_size=1)
)
def test_a_duration_is_the_sum_of_its_parts(parts: list[tuple[int, str]]) -> None:
    text = "".join(f"{number}{unit}" for number, unit in parts)

    assert seconds(text) == pytest.approx(sum(n * UNITS[unit] for n, unit in parts))


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9))
def test_a_number_is_a_duration_in_seconds(value: float) -> None:
    assert seconds(value) == value


@pytest.mark.parametrize(
    "value",
    [
        *("", "60", "s", "1 m", "1m 30s", "-1s", "1w", "1s!", "1e3s", b"1s"),
        *(True, None, [], float("nan"), float("inf")),
    ],
)
def test_what_is_no_duration_is_refused(value: object) -> None:
    with pytest.raises(
        ValueError, match='must be a duration such as 60, "60s", "1m30s"'
    ):
        seconds(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1.0), (0.5, 0.5), ("2", 2.0), ("0.5", 0.5), ("200m", 0.2)],
)
def test_cores_are_numbers_or_quantities(value: object, expected: float) -> None:
    assert cores(value) == expected


@given(st.integers(0, 10**9))
def test_thousandths_of_cores_are_exact(thousandths: int) -> None:
    assert cores(f"{thousandths}m") == thousandths / 1000


@pytest.mark.parametrize(
    "value", ["", "m", "1k", "1Mi", "-1", "1 m", True, None, float("nan"), [1]]
)
def test_what_is_no_number_of_cores_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="must be a number of cores"):
        cores(value)


@given(st.integers(0, 10**6), st.sampled_from(list(POWERS)))
def test_a_size_has_the_units_of_kubernetes(number: int, unit: str) -> None:
    assert size(f"{number}{unit}") == number * POWERS[unit]


@given(st.integers(-(10**18), 10**18))
def test_a_whole_number_is_a_size_in_bytes(value: int) -> None:
    assert size(value) == value


def test_a_size_may_have_a_fraction() -> None:
    assert size("1.5Gi") == 1536 * 1024**2


@pytest.mark.parametrize(
    "value", ["", "Mi", "1mi", "1K", "1MiB", "1 Mi", "-1Mi", "100m", 1.5, True, None]
)
def test_what_is_no_size_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match='must be a size such as "512Mi"'):
        size(value)


@given(NO_QUANTITY)
def test_text_that_does_not_start_with_a_number_is_nothing(text: str) -> None:
    for parse in (seconds, cores, size):
        with pytest.raises(ValueError, match="must be a"):
            parse(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (1023, "1023"),
        (1024, "1Ki"),
        (1536, "1.5Ki"),
        (20 * 1024**2, "20Mi"),
        (1024**3, "1Gi"),
        (5000 * 1024**4, "5000Ti"),
    ],
)
def test_a_size_reads_in_the_largest_unit_that_fits(number: int, text: str) -> None:
    assert size_text(number) == text


@given(st.integers(0, 1024**4))
def test_what_is_shown_of_a_size_is_near_it(number: int) -> None:
    assert size(size_text(number)) == pytest.approx(number, rel=0.051)
