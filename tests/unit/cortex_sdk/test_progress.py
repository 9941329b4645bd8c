import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from cortex_sdk._progress import display


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


class FakeOutput:
    """One output of a notebook: the last thing shown in it."""

    def __init__(self) -> None:
        self.shown: list[dict[str, str]] = []

    def display(self, bundle: dict[str, str], **options: Any) -> "FakeOutput":
        assert options == {"raw": True, "display_id": True}
        return self.update(bundle, raw=True)

    def update(self, bundle: dict[str, str], *, raw: bool) -> "FakeOutput":
        assert raw
        self.shown.append(bundle)
        return self


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> FakeOutput:
    """A kernel, as far as we look at it."""
    output = FakeOutput()
    kernel = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", kernel)  # type: ignore[arg-type]  # same
    monkeypatch.setitem(sys.modules, "IPython.display", output)  # type: ignore[arg-type]  # same
    return output


def test_a_pipe_gets_plain_lines_and_none_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with display("iris") as shown:
        shown.step("starting")
        shown.step("starting")
        shown.end("is live")

    assert capsys.readouterr() == ("", "iris: starting\niris: is live\n")


def test_a_closed_standard_error_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)

    with display("iris") as shown:
        shown.step("starting")
        shown.end("is live")


def test_a_terminal_keeps_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)

    with display("iris") as shown:
        shown.step("starting [replica]")
        shown.end("is live")

    assert "iris" in terminal.getvalue()
    assert terminal.getvalue().splitlines()[-1].endswith(" is live")


def test_an_interrupt_leaves_the_step_on_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)

    def interrupted() -> None:
        with display("iris") as shown:
            shown.step("goes on")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert "goes on" in terminal.getvalue()


def test_a_notebook_has_one_output_that_changes(notebook: FakeOutput) -> None:
    with display("iris") as shown:
        shown.step("starting <replica>")
        shown.end("is live")

    first, last = notebook.shown
    assert first["text/plain"] == "iris: starting <replica> …"
    assert "starting &lt;replica&gt; …" in first["text/html"]
    assert last["text/plain"] == "iris: is live"
    assert "✓" in last["text/html"]


def test_a_notebook_shows_where_it_ended(notebook: FakeOutput) -> None:
    def failing() -> None:
        with display("iris") as shown:
            shown.step("starting")
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        failing()

    assert notebook.shown[-1]["text/plain"] == "iris: failed while starting"
    assert "✗" in notebook.shown[-1]["text/html"]


def test_ipython_in_a_terminal_is_no_notebook(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = SimpleNamespace(get_ipython=SimpleNamespace)
    monkeypatch.setitem(sys.modules, "IPython", shell)  # type: ignore[arg-type]  # as above

    with display("iris") as shown:
        shown.end("is live")

    assert capsys.readouterr().err == "iris: is live\n"
