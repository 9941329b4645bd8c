import importlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.project.hooks import hook_references
from cortex_server.manifest import PredictorModule

SCRIPT = """
def record(response): ...

def decorated(function):
    import functools
    @functools.wraps(function)
    def wrapper(*args, **kwargs): return function(*args, **kwargs)
    return wrapper

@decorated
def send(response): ...

def make():
    def inner(): ...
    return inner

class Tools:
    @staticmethod
    def count(): ...
"""
REPORT = """
import json
from pathlib import Path
from cortex_sdk.errors import CortexError
from cortex_sdk.project.hooks import hook_references
try:
    ((_, reference),) = hook_references([{hook}], Path.cwd(), None).items()
except CortexError as error:
    print(json.dumps(str(error)))
else:
    fields = reference.__struct_fields__
    print(json.dumps({{field: getattr(reference, field) for field in fields}}))
"""


def python(*arguments: str, cwd: Path) -> Any:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def in_script(hook: str, folder: Path) -> Any:
    (folder / "app.py").write_text(SCRIPT + REPORT.format(hook=hook))
    return python("app.py", cwd=folder)


def in_cell(hook: str, folder: Path, cell: str = SCRIPT) -> Any:
    return python("-c", cell + REPORT.format(hook=hook), cwd=folder)


@pytest.mark.parametrize(
    ("hook", "name"),
    [("record", "record"), ("send", "send"), ("Tools.count", "Tools.count")],
)
def test_a_function_of_a_script_goes_by_its_name(
    hook: str, name: str, tmp_path: Path
) -> None:
    assert in_script(hook, tmp_path) == {"module": "app", "qualname": name}


@pytest.mark.parametrize(
    ("hook", "name"),
    [
        ("lambda response: None", "<lambda>"),
        ("make()", "make.<locals>.inner"),
        ("send.__wrapped__", "send"),
    ],
)
def test_a_function_that_a_replica_would_not_find_is_refused(
    hook: str, name: str, tmp_path: Path
) -> None:
    assert in_script(hook, tmp_path) == (
        f"`{name}` is not found under that name in `{tmp_path / 'app.py'}`, where a"
        " replica looks for it; define it with `def` at the top level of the file"
    )


@pytest.mark.parametrize(
    "hook", ["record", "send", "make()", "Tools.count", "lambda response: None"]
)
def test_any_function_of_a_notebook_goes_by_value(hook: str, tmp_path: Path) -> None:
    once, again = (in_cell(hook, tmp_path)["identity"] for _ in range(2))
    later = in_cell(hook, tmp_path, "\n\n# moved down\n" + SCRIPT)["identity"]

    assert len(once) == 64
    assert once == again == later


def test_a_function_of_a_notebook_is_what_it_refers_to(tmp_path: Path) -> None:
    found = {
        in_cell("record", tmp_path, cell)["identity"]
        for cell in (
            "LIMIT = 1\ndef record(response): return LIMIT",
            "LIMIT = 2\ndef record(response): return LIMIT",
            "LIMIT = 1\ndef record(response): return -LIMIT",
        )
    }

    assert len(found) == 3


def test_a_function_that_cannot_go_along_is_refused(tmp_path: Path) -> None:
    cell = "stream = iter(x for x in ())\ndef record(): return stream"

    assert in_cell("record", tmp_path, cell) == (
        "`record` refers to something that cannot go along with it (cannot pickle"
        " 'generator' object); create it in the function, or move the function to a"
        " Python file"
    )


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module in a folder below the project."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "hook_tools.py").write_text("def record(response): ...\n")
    monkeypatch.syspath_prepend(tmp_path / "src")
    importlib.invalidate_caches()
    yield importlib.import_module("hook_tools")
    del sys.modules["hook_tools"]


def reference(
    function: FunctionType, root: Path, python_path: str | None = None
) -> object:
    return hook_references([function], root, python_path)[function]


def test_a_function_of_another_file_of_the_project_goes_by_its_name(
    tools: Any, tmp_path: Path
) -> None:
    expected = PredictorModule(module="hook_tools", qualname="record")

    assert reference(tools.record, tmp_path / "src") == expected
    assert reference(tools.record, tmp_path, "src") == expected


def test_a_function_that_would_not_be_imported_is_refused(
    tools: Any, tmp_path: Path
) -> None:
    with pytest.raises(InvalidSpecError, match="set `python_path='src'`"):
        reference(tools.record, tmp_path)
    with pytest.raises(InvalidSpecError, match="outside the project"):
        reference(tools.record, tmp_path / "src" / "deeper")


def test_a_function_of_an_installed_package_goes_by_its_name(tmp_path: Path) -> None:
    assert reference(os.path.join, tmp_path) == PredictorModule(
        module="posixpath", qualname="join"
    )


def test_a_function_of_no_file_is_refused(tmp_path: Path) -> None:
    scope: dict[str, Any] = {"__name__": "made_up"}
    exec("def record(): ...", scope)

    with pytest.raises(InvalidSpecError) as caught:
        reference(scope["record"], tmp_path)

    assert str(caught.value) == (
        "`record` comes from the module `made_up`, which has no file that a replica"
        " could import; define it in a Python file"
    )


def test_a_class_and_functions_of_a_notebook_share_what_they_refer_to(
    tmp_path: Path,
) -> None:
    cell = """
from pathlib import Path
from cortex_sdk import SyncAPI
from cortex_sdk.project.release import release_of
SEEN = []
class Iris:
    def predict(self): SEEN.append(1)
def record(response: "SyncAPI"): SEEN.append(2)
api = SyncAPI(Iris, post_predict=[record, lambda: SEEN])
release = release_of(api, b"k" * 32)
Path("parts.pkl").write_bytes(release.pickle())
print(f'"{release.manifest.by_value}"')
"""
    assert len(python("-c", cell, cwd=tmp_path)) == 64

    parts = pickle.Unpickler(BytesIO((tmp_path / "parts.pkl").read_bytes()))
    cls, record, seen = (parts.load() for _ in range(3))
    cls().predict()
    record(None)

    assert seen() == [1, 2]
    assert record.__annotations__["response"].__name__ == "SyncAPI"
