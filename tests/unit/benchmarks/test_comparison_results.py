import pytest
from comparison.cell import Cell
from unit.benchmarks.cells import cell, results


def rate(cell: Cell) -> float:
    return cell.rate


def test_a_ratio_is_the_median_of_the_ratios_within_each_repeat() -> None:
    found = results(
        cell("sanic", repeat=1, rate=1000),
        cell("ours", repeat=1, rate=900),
        # The machine became four times slower, for both.
        cell("sanic", repeat=2, rate=250),
        cell("ours", repeat=2, rate=225),
        cell("sanic", repeat=3, rate=1000),
        cell("ours", repeat=3, rate=100),
    )

    assert found.ratio("ours", "w1", rate) == pytest.approx(0.9)


def test_a_repeat_without_its_reference_does_not_count() -> None:
    found = results(
        cell("sanic", repeat=1, rate=1000),
        cell("ours", repeat=1, rate=500),
        cell("ours", repeat=2, rate=9000),
    )

    assert found.ratio("ours", "w1", rate) == pytest.approx(0.5)


def test_there_is_no_ratio_without_a_reference() -> None:
    found = results(cell("ours"))

    assert found.ratio("ours", "w1", rate) is None


def test_a_reference_that_answered_nothing_gives_no_ratio() -> None:
    found = results(cell("sanic", rate=0), cell("ours"))

    assert found.ratio("ours", "w1", rate) is None


def test_a_quiet_run_has_no_warnings() -> None:
    assert results(cell("sanic"), cell("ours")).warnings() == []


def test_warns_once_of_others_on_the_machine() -> None:
    found = results(
        cell("sanic", foreign_share=0.5),
        cell("ours", foreign_share=1.2),
        cell("ours", repeat=2),
    )

    assert found.warnings() == [
        "others used the machine during 2 of 3 cells, up to 120% of a core"
    ]


def test_warns_of_failed_requests() -> None:
    assert results(cell("ours", errors=3)).warnings() == [
        "w1 ours, repeat 1: 3 requests failed"
    ]


def test_warns_when_the_generator_was_the_limit() -> None:
    assert results(cell("asyncio", load_share=0.97)).warnings() == [
        "w1 asyncio, repeat 1: the load generator was the limit"
    ]
