"""The two streams: data to standard output, everything else to standard error.

In a pipe nothing is coloured, wrapped or cut off; a reader that goes away early has
had what it wanted, so that is no failure.
"""

import json
import os
import sys
import textwrap
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NoReturn, TextIO

from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.text import Text

from cortex_sdk.errors import CortexError

_GAP = "   "
_NARROWEST = 20


class Output(StrEnum):
    """What is printed to standard output: text for people, or JSON for programs."""

    TABLE = "table"
    JSON = "json"


def say(text: str | Text = "", style: str = "") -> None:
    """Tell the person something; it is no part of the data."""
    line = Text(text, style=style) if isinstance(text, str) else text
    try:
        _console(sys.stderr).print(line, soft_wrap=True)
    except BrokenPipeError:
        _point_to_nothing(sys.stderr)  # nobody listens; the work goes on


def say_done(text: str) -> None:
    """Tell the person that something was done."""
    say(Text.assemble(("✓ ", "green"), text))


def say_error(error: CortexError, of: str = "") -> None:
    """Tell the person what went wrong, in its one sentence, and where in their code."""
    if error.traceback:
        say(error.traceback.rstrip("\n"))
    say(f"{of}: {error}" if of else str(error), style="red")


def write(text: str | Text, end: str = "\n") -> None:
    """Write data and a line end; a plain string exactly as it is."""
    try:
        if isinstance(text, str):
            sys.stdout.write(text + end)
            sys.stdout.flush()
        else:
            _console(sys.stdout).print(text, soft_wrap=True)
    except BrokenPipeError:
        _reader_gone()


def write_json(value: object) -> None:
    """Write data as indented JSON, coloured for people."""
    text = Text(json.dumps(value, indent=2, ensure_ascii=False, default=str))
    JSONHighlighter().highlight(text)
    write(text)


def write_bytes(content: bytes) -> None:
    """Write data as it is."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _reader_gone()


def write_columns(rows: Sequence[Sequence[str | Text]], *, crop: bool = False) -> None:
    """Write a table whose first row is its head.

    Args:
        rows: Cells of each row.
        crop: Whether what does not fit into the line of a terminal is cut off.
    """
    console = _console(sys.stdout)
    cells = [[Text(c) if isinstance(c, str) else c for c in row] for row in rows]
    columns = zip(*cells, strict=True)
    widths = [max(cell.cell_len for cell in column) for column in columns]
    head, *body = cells
    for cell in head:
        cell.stylize("dim")
    for row in (head, *body):
        for cell, width in zip(row[:-1], widths, strict=False):
            cell.pad_right(width - cell.cell_len)
        line = Text(_GAP).join(row)
        line.rstrip()
        if crop and is_terminal():
            line.truncate(console.width, overflow="ellipsis")
        write(line)


def write_pairs(pairs: Mapping[str, str | Text]) -> None:
    """Write names and values, the names in a column of their own."""
    width = max(map(len, pairs))
    for name, value in pairs.items():
        start = f"{name:<{width}}{_GAP}"
        shown = value if isinstance(value, Text) else Text(_wrapped(value, len(start)))
        write(Text.assemble((start, "dim"), shown))


def is_terminal() -> bool:
    """Whether a person looks at standard output."""
    return sys.stdout.isatty()


def can_ask() -> bool:
    """Whether a person is there to answer a question."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> bool:
    """Put a question that is answered with yes or no; no is what Enter means."""
    _console(sys.stderr).print(Text(f"{question} [y/N] "), end="")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _wrapped(value: str, indent: int) -> str:
    """A long value on several lines of a terminal, none of its words broken."""
    if not is_terminal():
        return value
    room = max(_console(sys.stdout).width - indent, _NARROWEST)
    lines = textwrap.wrap(value, room, break_long_words=False, break_on_hyphens=False)
    return ("\n" + " " * indent).join(lines)


class _Console(Console):
    """Leaves it to the caller what a reader that went away means."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def _console(file: Any) -> Console:  # noqa: ANN401  # TextIO, or what a test puts there
    return _Console(file=file, highlight=False, emoji=False, markup=False)


def _reader_gone() -> NoReturn:
    _point_to_nothing(sys.stdout)
    raise SystemExit(0)


def _point_to_nothing(stream: TextIO) -> None:
    # The interpreter flushes it once more when it ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
