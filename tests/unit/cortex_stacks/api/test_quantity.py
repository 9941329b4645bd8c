import pytest

from cortex_stacks.api.quantity import milli, share, size


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.2, "200m"), (2.0, "2"), (1.5, "1500m"), (0.0, "0"), (0.05, "50m"), (10, "10")],
)
def test_a_number_has_at_most_three_decimals(value: float, text: str) -> None:
    assert milli(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1 << 29, "512Mi"), (1 << 30, "1Gi"), (1000, "1000"), (1536, "1536"), (0, "0")],
)
def test_bytes_are_in_the_largest_unit_that_divides_them(value: int, text: str) -> None:
    assert size(value) == text


def test_a_share_is_a_number_or_a_percentage() -> None:
    assert [share("1"), share("25%")] == [1, "25%"]
