import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cortex_server.worker.call import Call
from cortex_server.worker.execution import Threads, Work, on_loop
from cortex_server.worker.user_code import (
    StartError,
    own_frames,
    user_code,
    user_traceback,
)


def run(root: Path, source: str, name: str = "app.py") -> dict[str, Any]:
    """Run a file of the user's."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    scope: dict[str, Any] = {"__name__": "app"}
    exec(compile(source, str(path), "exec"), scope)
    return scope


def failure_of(root: Path, source: str) -> StartError:
    with pytest.raises(StartError) as caught, user_code("importing `app`", root):
        run(root, source)
    return caught.value


def test_what_does_not_fail_passes(tmp_path: Path) -> None:
    with user_code("importing `app`", tmp_path):
        scope = run(tmp_path, "x = 1")

    assert scope["x"] == 1


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("raise ValueError('no')", "ValueError: no"),
        ("raise ValueError", "ValueError"),
        ("raise SystemExit(2)", "SystemExit: 2"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("class E(BaseException): pass\nraise E('x')", "E: x"),
        ("raise KeyError('k')", "KeyError: 'k'"),
    ],
)
def test_whatever_is_raised_is_told_in_one_sentence(
    tmp_path: Path, source: str, told: str
) -> None:
    error = failure_of(tmp_path, source)

    assert error.failure.message == f"importing `app` raised {told}"
    assert str(error) == error.failure.message


def test_a_missing_module_comes_with_what_to_do(tmp_path: Path) -> None:
    message = failure_of(tmp_path, "import not_there_at_all").failure.message

    assert message.endswith("; install it, or name its package in `requirements`")


def test_only_frames_of_the_project_are_shown(tmp_path: Path) -> None:
    source = "import json\ndef load():\n    json.loads('{')\nload()\n"

    told = failure_of(tmp_path, source).failure.traceback

    lines = [line for line in told.splitlines() if set(line) - set(" ~^")]
    assert lines[:5] == [
        "Traceback (most recent call last):",
        '  File "app.py", line 4, in <module>',
        "    load()",
        '  File "app.py", line 3, in load',
        "    json.loads('{')",
    ]
    assert told.splitlines()[-1].startswith("json.decoder.JSONDecodeError: Expecting")
    assert str(tmp_path) not in told


def test_packages_inside_the_project_are_not_the_users_code(tmp_path: Path) -> None:
    package = "venv/site-packages/lib.py"
    scope = run(tmp_path, "def fail(): raise ValueError", package)

    with pytest.raises(StartError) as caught, user_code("it", tmp_path):
        scope["fail"]()

    assert "lib.py" not in caught.value.failure.traceback


@pytest.mark.parametrize("how", ["from error", "", "from None"])
def test_exceptions_behind_it_are_shown_the_same_way(tmp_path: Path, how: str) -> None:
    source = (
        "import json\ntry:\n    json.loads('')\n"
        f"except ValueError as error:\n    raise RuntimeError('second') {how}\n"
    )

    told = failure_of(tmp_path, source).failure.traceback

    assert ("JSONDecodeError" in told) == (how != "from None")
    assert told.endswith("RuntimeError: second")
    assert "decoder.py" not in told
    assert str(tmp_path) not in told


def test_exceptions_that_refer_to_each_other_end(tmp_path: Path) -> None:
    source = (
        "a, b = ValueError('a'), ValueError('b')\n"
        "a.__cause__, b.__cause__ = b, a\nraise a\n"
    )

    told = failure_of(tmp_path, source).failure.traceback

    assert told.endswith("ValueError: a")


def test_exceptions_in_a_group_are_shown_the_same_way(tmp_path: Path) -> None:
    source = (
        "import json\nerrors = []\ntry:\n    json.loads('')\n"
        "except ValueError as error:\n    raise ExceptionGroup('all', [error])\n"
    )

    told = failure_of(tmp_path, source).failure.traceback

    assert "JSONDecodeError" in told
    assert "decoder.py" not in told
    assert str(tmp_path) not in told


def test_a_syntax_error_shows_the_line_of_the_file(tmp_path: Path) -> None:
    told = failure_of(tmp_path, "x = 1\ndef (:\n").failure.traceback

    assert '  File "app.py", line 2' in told
    assert "    def (:" in told
    assert told.splitlines()[-1].startswith("SyntaxError: ")


def test_endless_recursion_is_shortened(tmp_path: Path) -> None:
    told = failure_of(tmp_path, "def f(): f()\nf()\n").failure.traceback

    assert "[Previous line repeated" in told
    assert len(told.splitlines()) < 30


@pytest.mark.parametrize(
    "filename",
    ["<ipython-input-3-abc>", "/tmp/ipykernel_42/1234.py"],
)
def test_frames_of_notebook_cells_are_the_users(tmp_path: Path, filename: str) -> None:
    scope: dict[str, Any] = {}
    exec(compile("def cell(): raise ValueError", filename, "exec"), scope)

    with pytest.raises(StartError) as caught, user_code("it", tmp_path):
        scope["cell"]()

    assert f'File "{filename}", line 1, in cell' in caught.value.failure.traceback


def test_without_frames_of_the_user_only_the_exception_is_left(tmp_path: Path) -> None:
    try:
        int("x")
    except ValueError as error:
        told = user_traceback(error, tmp_path)

    assert told.splitlines()[-1].startswith("ValueError: invalid literal")
    assert "File" not in told


@pytest.mark.parametrize("prefix", ["", "async "])
def test_a_log_begins_where_the_users_code_was_entered(
    tmp_path: Path, prefix: str
) -> None:
    source = f"import json\n{prefix}def predict(): json.loads('')\n"
    function: Callable[[], Any] = run(tmp_path, source)["predict"]

    async def main() -> BaseException | None:
        outcome: asyncio.Future[BaseException | None]
        outcome = asyncio.get_running_loop().create_future()
        work = Work(Call(b"", b"", []), {}, lambda _, error: outcome.set_result(error))
        if prefix:
            on_loop(function, work)
        else:
            Threads(1, "test").submit(function, work)
        return await outcome

    raised = asyncio.run(main())

    assert raised is not None
    kind, error, frames = own_frames(raised)
    assert (kind, error) == (type(raised), raised)
    assert frames is not None
    assert frames.tb_frame.f_code.co_filename == str(tmp_path / "app.py")


def test_an_exception_without_frames_is_told_too() -> None:
    error = ValueError("no frames")

    assert own_frames(error) == (ValueError, error, None)
