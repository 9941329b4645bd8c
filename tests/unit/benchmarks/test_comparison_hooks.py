from itertools import pairwise

from comparison.hooks import OVERLOAD, WITH, WITHOUT, Row, figures, render
from comparison.load import Load
from comparison.openloop import times


def row(name: str, p99: float, run: int = 0, dropped: int = 0) -> Row:
    hooks = {"accepted": run + dropped, "run": run, "failed": 0, "dropped": dropped}
    return Row(name, Load(320, 1.0, 0, p99 / 2, p99), hooks, run)


ROWS = [
    *(row(WITHOUT, 1.0), row(WITH, 1.1, 320), row(OVERLOAD, 2.0, 390, 410)),
    *(row(WITHOUT, 2.0), row(WITH, 2.2, 320), row(OVERLOAD, 6.0, 390, 410)),
]


def test_a_load_is_compared_with_the_one_without_hooks_of_the_same_repeat() -> None:
    _, without, hooked, over = figures(ROWS)

    assert without[4:6] == ["1.00", "1.00"]
    assert hooked[4:] == ["1.10", "1.10", "640", "640", "0", "0", "0.80"]
    assert over[5:] == ["2.50", "1600", "780", "0", "820", "0.97"]


def test_the_rows_are_part_of_a_report() -> None:
    assert render(ROWS, markdown=True).startswith("### cortex: hooks of 10 ms")
    assert "w6, 200 %" in render(ROWS, markdown=False)


def test_requests_come_at_random_times_the_same_in_every_run() -> None:
    found = list(times(100, 10))

    assert found == list(times(100, 10))
    assert 900 < len(found) < 1100
    assert all(0 < one < other < 10 for one, other in pairwise(found))
