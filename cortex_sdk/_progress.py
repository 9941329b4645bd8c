"""Showing how a deploy moves on, in the way that fits who watches.

In a terminal it is one line that changes, in a notebook an output that changes, in
a pipe or a file plain lines. Everything goes to standard error: standard output
belongs to the program.
"""

import html
import importlib
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol


class Display(Protocol):
    """Where progress is shown."""

    def step(self, line: str) -> None:
        """Say what is being done now."""

    def end(self, line: str) -> None:
        """Say how it went."""

    def give_up(self, error: BaseException) -> None:
        """Show where it ended; somebody else says why."""


@contextmanager
def display(subject: str) -> Iterator[Display]:
    """The display that fits standard error and the notebook, if there is one."""
    with _fitting(subject) as shown:
        try:
            yield shown
        except BaseException as error:
            shown.give_up(error)
            raise


def _fitting(subject: str) -> AbstractContextManager[Display]:
    if _in_notebook():
        return nullcontext(_Notebook(subject))
    if sys.stderr is not None and sys.stderr.isatty():
        return _terminal(subject)
    return nullcontext(_Lines(subject))


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


class _Lines:
    """One line for each thing said, and none twice in a row."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._last = ""

    def step(self, line: str) -> None:
        if line != self._last and sys.stderr is not None:
            sys.stderr.write(f"{self._subject}: {line}\n")
            sys.stderr.flush()
        self._last = line

    end = step

    def give_up(self, error: BaseException) -> None:
        """Its lines stand there already."""


@contextmanager
def _terminal(subject: str) -> Iterator[Display]:
    from rich.console import Console  # noqa: PLC0415  # only where somebody watches

    console = Console(stderr=True, highlight=False)
    with console.status(_line(subject, "starting"), spinner_style="cyan") as status:
        yield _Terminal(subject, console, status)


class _Terminal:
    """A spinner with the current step; the last word stays on the screen."""

    def __init__(self, subject: str, console: Any, status: Any) -> None:  # noqa: ANN401  # rich's, loaded late
        self._subject = subject
        self._console = console
        self._status = status
        self._last = ""

    def step(self, line: str) -> None:
        self._last = line
        self._status.update(_line(self._subject, line))

    def end(self, line: str) -> None:
        self._status.stop()
        self._console.print(_line("[green]✓[/] " + self._subject, line))

    def give_up(self, error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt):  # its last word says what goes on
            self._console.print(_line(self._subject, self._last))


def _line(subject: str, line: str) -> str:
    from rich.markup import escape  # noqa: PLC0415  # see _terminal

    return f"[bold]{subject}[/] {escape(line)}"


class _Notebook:
    """One output that is written anew; plain text where a front end has no HTML."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._last = ""
        self._handle: Any = None

    def step(self, line: str) -> None:
        self._last = line
        faint = f'<span style="opacity:.65">{html.escape(line)} …</span>'
        self._show(f"{self._subject}: {line} …", f"{self._bold()} {faint}")

    def end(self, line: str) -> None:
        self._show(
            f"{self._subject}: {line}",
            f'<span style="color:#1a7f37">✓</span> {self._bold()} {html.escape(line)}',
        )

    def give_up(self, _: BaseException) -> None:
        mark = '<span style="color:#cf222e">✗</span>'
        last = f"failed while {self._last}" if self._last else "failed"
        self._show(
            f"{self._subject}: {last}", f"{mark} {self._bold()} {html.escape(last)}"
        )

    def _bold(self) -> str:
        return f"<b>{html.escape(self._subject)}</b>"

    def _show(self, plain: str, rich: str) -> None:
        bundle = {"text/plain": plain, "text/html": f"<div>{rich}</div>"}
        if self._handle is not None:
            self._handle.update(bundle, raw=True)
            return
        show = importlib.import_module("IPython.display").display
        self._handle = show(bundle, raw=True, display_id=True)
