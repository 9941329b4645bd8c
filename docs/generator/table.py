"""Tables in Markdown."""

from collections.abc import Iterable

Row = tuple[str, ...]


def table(head: Row, rows: Iterable[Row]) -> str:
    """A table; a column that has nothing in it is left out."""
    rows = list(rows)
    used = [number for number in range(len(head)) if any(row[number] for row in rows)]
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(_line(line[number] for number in used) for line in lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
