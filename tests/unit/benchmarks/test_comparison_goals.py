import pytest
from comparison.goals import goals
from unit.benchmarks.cells import cell, results


@pytest.mark.parametrize(("rate", "is_met"), [(1690.0, False), (1710.0, True)])
def test_two_processes_are_held_against_twice_one(*, rate: float, is_met: bool) -> None:
    found = results(cell("cortex", "p1", rate=1000.0), cell("cortex", "p2", rate=rate))

    (goal,) = goals(found)

    assert goal.measured == pytest.approx(rate / 2000)
    assert goal.is_met is is_met
