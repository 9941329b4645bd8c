from comparison.report import render, table
from unit.benchmarks.cells import cell, results

ROWS = [["server", "w1"], ["sanic", "1.00"], ["fastapi", "0.2"]]


def test_a_table_is_aligned_for_reading() -> None:
    assert table(ROWS, markdown=False).splitlines() == [
        "server     w1",
        "-------  ----",
        "sanic    1.00",
        "fastapi   0.2",
    ]


def test_a_markdown_table_aligns_figures_to_the_right() -> None:
    assert table(ROWS, markdown=True).splitlines() == [
        "| server  |   w1 |",
        "| ------- | ---: |",
        "| sanic   | 1.00 |",
        "| fastapi |  0.2 |",
    ]


def test_a_report_has_ratios_of_rate_and_processor_time() -> None:
    found = results(
        cell("sanic", rate=1000, cpu_us=100), cell("ours", rate=800, cpu_us=125)
    )

    text = render(found, markdown=False)

    rates, times = text.split("Processor time", 1)
    assert "ours    0.80" in rates
    assert "ours    1.25" in times


def test_a_report_has_medians_of_the_figures() -> None:
    found = results(
        cell("sanic", repeat=1, rate=12_000, rss_mib=30),
        cell("sanic", repeat=2, rate=14_000, rss_mib=50),
    )

    lines = render(found, markdown=False).splitlines()

    figures = lines[lines.index("w1: a trivial predict, sync, 64 connections") + 4]
    assert figures.split() == ["sanic", "13,000", "1.00", "2.00", "100", "40", "0.50"]


def test_a_server_that_was_not_measured_has_dashes() -> None:
    found = results(cell("sanic"), cell("ours", workload="w2"))

    assert "| ours   |    - |" in render(found, markdown=True)


def test_hooks_are_shown_where_the_workload_has_them() -> None:
    hooked = results(cell("sanic", "w6", hooks_run=0.25), workload="w6")

    assert render(hooked, markdown=False).splitlines()[-1].endswith("25%")
    assert "hooks run" not in render(results(cell("sanic")), markdown=False)


def test_a_report_says_when_where_and_how_it_was_made() -> None:
    first = render(results(cell("sanic")), markdown=True).splitlines()[0]

    assert first == (
        "2026-01-02, Linux, 2 cores, Python 3.11.7; 2 x 5 s, load by wrk; sanic 25.12."
    )


def test_a_report_carries_its_warnings() -> None:
    text = render(results(cell("sanic", errors=2)), markdown=True)

    assert "Warning: w1 sanic, repeat 1: 2 requests failed." in text
