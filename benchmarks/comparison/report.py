"""Results as text: ratios first, since they hold on other machines, figures after."""

from collections.abc import Sequence
from statistics import median

from comparison.cell import Cell
from comparison.goals import HEAD, Goal, goals
from comparison.results import Results, Value
from comparison.workload import Workload

_MISSING = "-"
_COLUMNS: tuple[tuple[str, Value, str], ...] = (
    ("req/s", lambda cell: cell.rate, ",.0f"),
    ("p50 ms", lambda cell: cell.p50_ms, ",.2f"),
    ("p99 ms", lambda cell: cell.p99_ms, ",.2f"),
    ("CPU us", lambda cell: cell.cpu_us, ",.0f"),
    ("RSS MiB", lambda cell: cell.rss_mib, ",.0f"),
    ("cold s", lambda cell: cell.cold_start_seconds, ".2f"),
)
_HOOKS: tuple[str, Value, str] = ("hooks run", lambda cell: cell.hooks_run or 0, ".0%")


def render(results: Results, more: Sequence[Goal] = (), *, markdown: bool) -> str:
    """The whole report; with `more` goals, those that other figures speak of."""
    heading = "### " if markdown else ""
    of = f"as a multiple of {results.reference}"
    parts = [
        _made(results),
        *(f"Warning: {sentence}." for sentence in results.warnings()),
        *_goals([*goals(results), *more], heading, markdown=markdown),
        f"{heading}Requests in a second, {of}",
        table(_ratios(results, lambda cell: cell.rate), markdown=markdown),
        f"{heading}Processor time for one request, {of}",
        table(_ratios(results, lambda cell: cell.cpu_us), markdown=markdown),
    ]
    for workload in results.workloads:
        title = f"{workload.title}, {workload.connections} connections"
        parts.append(f"{heading}{workload.name}: {title}")
        parts.append(table(_figures(results, workload), markdown=markdown))
    return "\n\n".join(parts)


def _goals(found: Sequence[Goal], heading: str, *, markdown: bool) -> list[str]:
    """What our server is to reach, where it was measured."""
    if not found:
        return []
    rows = [goal.row() for goal in found]
    return [f"{heading}Goals", table([HEAD, *rows], markdown=markdown)]


def table(rows: Sequence[Sequence[str]], *, markdown: bool) -> str:
    """Aligned columns, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    head, *body = [_aligned(row, widths) for row in rows]
    if not markdown:
        rule = ["-" * width for width in widths]
        return "\n".join("  ".join(line).rstrip() for line in [head, rule, *body])
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *body])


def _aligned(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *others = zip(row, widths, strict=True)
    return [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]


def _made(results: Results) -> str:
    """When, where and with what the figures were made."""
    facts, machine = results.facts, results.facts["machine"]
    versions = [f"{name} {version}" for name, version in facts["versions"].items()]
    return (
        f"{facts['date']}, {machine['system']}, {machine['cores']} cores,"
        f" Python {machine['python']}; {facts['repeats']} x {facts['seconds']} s,"
        f" load by {facts['load']}; {', '.join(versions)}."
    )


def _ratios(results: Results, value: Value) -> list[list[str]]:
    names = [
        workload.name
        for workload in results.workloads
        if results.of(results.reference, workload.name)
    ]
    rows = [
        [server, *(_ratio(results, server, name, value) for name in names)]
        for server in results.servers
    ]
    return [["server", *names], *rows]


def _ratio(results: Results, server: str, workload: str, value: Value) -> str:
    ratio = results.ratio(server, workload, value)
    return _MISSING if ratio is None else f"{ratio:.2f}"


def _figures(results: Results, workload: Workload) -> list[list[str]]:
    columns = [*_COLUMNS, _HOOKS] if workload.has_hook else _COLUMNS
    rows = []
    for server in results.servers:
        if cells := results.of(server, workload.name):
            medians = [_median(cells, value, form) for _, value, form in columns]
            rows.append([server, *medians])
    return [["server", *(name for name, _, _ in columns)], *rows]


def _median(cells: Sequence[Cell], value: Value, form: str) -> str:
    return format(median(map(value, cells)), form)
