import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from sklearn.dummy import DummyClassifier

from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.project.source import Source, source_of
from cortex_server.manifest import PredictorModule

PREDICTOR = """\
class Iris:
    def predict(self, payload):
        return 1
"""
REPORT = """
import json, sys
from msgspec import to_builtins
from cortex_sdk.project.source import source_of
from cortex_sdk.errors import CortexError
try:
    source = source_of(Iris, {project!r}, {python_path!r})
except CortexError as error:
    print(json.dumps({{"error": str(error)}}))
else:
    print(json.dumps({{"root": str(source.root), **to_builtins(source.reference)}}))
"""


class Here:
    def predict(self, payload: object) -> object:
        return payload


def report(project: str | None = None, python_path: str | None = None) -> str:
    return REPORT.format(project=project, python_path=python_path)


def python(
    *arguments: object, cwd: Path, stdin: str = "", home: Path | None = None
) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        env=os.environ | ({"HOME": str(home)} if home else {}),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def by_reference(root: Path, module: str) -> dict[str, Any]:
    reference = {"kind": "module", "module": module, "qualname": "Iris"}
    return {"root": str(root), **reference}


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the import path, whose modules are forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(
            str(tmp_path)
        ):
            del sys.modules[name]


def define(root: Path, name: str, text: str = PREDICTOR) -> type:
    path = root / f"{name.replace('.', '/')}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    importlib.invalidate_caches()
    found: type = importlib.import_module(name).Iris
    return found


def refusal(predictor: type | str, *arguments: Any) -> str:
    with pytest.raises(InvalidSpecError) as caught:
        source_of(predictor, *arguments)
    return str(caught.value)


def test_a_script_goes_by_its_own_name_and_folder(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PREDICTOR + report())

    assert python("app.py", cwd=tmp_path) == by_reference(tmp_path, "app")


def test_a_script_goes_by_its_folder_wherever_it_is_started(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "my-app.py").write_text(PREDICTOR + report())

    found = python("project/my-app.py", cwd=tmp_path)

    assert found == by_reference(folder, "my-app")


def test_a_script_may_change_the_working_directory(tmp_path: Path) -> None:
    text = f"import os\n{PREDICTOR}os.chdir('/')\n{report()}"
    (tmp_path / "app.py").write_text(text)

    assert python("app.py", cwd=tmp_path) == by_reference(tmp_path, "app")


def test_a_script_run_by_its_module_name_goes_by_that(tmp_path: Path) -> None:
    (tmp_path / "pkg" / "sub").mkdir(parents=True)
    (tmp_path / "pkg" / "sub" / "app.py").write_text(PREDICTOR + report())

    found = python("-m", "pkg.sub.app", cwd=tmp_path)

    assert found == by_reference(tmp_path, "pkg.sub.app")


def test_a_package_run_by_its_name_goes_by_its_main_module(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__main__.py").write_text(PREDICTOR + report())

    assert python("-m", "pkg", cwd=tmp_path) == by_reference(tmp_path, "pkg.__main__")


def test_a_folder_run_as_a_program_cannot_be_imported(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text(PREDICTOR + report())

    assert "is a module of Python itself" in python(tmp_path, cwd=tmp_path)["error"]


def test_a_dataclass_in_a_script_goes_by_reference(tmp_path: Path) -> None:
    text = f"import dataclasses\n@dataclasses.dataclass\n{PREDICTOR}{report()}"
    (tmp_path / "app.py").write_text(text)

    assert python("app.py", cwd=tmp_path) == by_reference(tmp_path, "app")


def test_a_decorated_method_does_not_hide_its_script(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("""\
import functools
def traced(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper
""")
    text = PREDICTOR.replace("    def", "    @other.traced\n    def")
    (tmp_path / "app.py").write_text(f"import other\n{text}{report()}")

    assert python("app.py", cwd=tmp_path) == by_reference(tmp_path, "app")


@pytest.mark.parametrize("way", ["-c", "stdin"])
def test_a_class_without_a_file_goes_by_value(tmp_path: Path, way: str) -> None:
    code = PREDICTOR + report()

    if way == "-c":
        found = python("-c", code, cwd=tmp_path)
    else:
        found = python("-", cwd=tmp_path, stdin=code)

    assert found["kind"] == "pickle"
    assert found["qualname"] == "Iris"
    assert found["root"] == str(tmp_path)


def test_a_class_typed_at_the_prompt_after_a_script_goes_by_value(
    tmp_path: Path,
) -> None:
    (tmp_path / "app.py").write_text(PREDICTOR)
    typed = PREDICTOR.replace("return 1", "return 2") + "\n"
    asked = f"exec({report()!r})\n"

    found = python("-i", "app.py", cwd=tmp_path, stdin=typed + asked)

    assert found["kind"] == "pickle"


def test_a_class_of_a_notebook_cell_goes_by_value(tmp_path: Path) -> None:
    # ipykernel compiles a cell under the name of a file that is not there.
    cell = f"exec(compile({PREDICTOR!r}, '/tmp/ipykernel_1/2.py', 'exec'))\n"

    assert python("-c", cell + report(), cwd=tmp_path)["kind"] == "pickle"


def test_a_class_of_a_module_takes_the_folder_that_makes_it_importable(
    modules: Path,
) -> None:
    top, deep = define(modules, "app1"), define(modules, "pkg1.sub.app")

    assert source_of(top, None) == Source(
        modules, PredictorModule(module="app1", qualname="Iris")
    )
    assert source_of(deep, None) == Source(
        modules, PredictorModule(module="pkg1.sub.app", qualname="Iris")
    )


def test_a_class_of_a_package_takes_the_folder_above_it(modules: Path) -> None:
    (modules / "pkg2").mkdir()
    (modules / "pkg2" / "__init__.py").write_text(PREDICTOR)
    cls = importlib.import_module("pkg2").Iris

    assert source_of(cls, None) == Source(
        modules, PredictorModule(module="pkg2", qualname="Iris")
    )


def test_a_nested_class_goes_by_its_qualified_name(modules: Path) -> None:
    text = "class Iris:\n    class Inner:\n        def predict(self): ...\n"
    cls = define(modules, "app2", text)

    reference = source_of(cls.Inner, None).reference  # type: ignore[attr-defined]  # it has

    assert reference.qualname == "Iris.Inner"


def test_a_class_inside_a_function_is_refused() -> None:
    class Local(Here):
        pass

    assert refusal(Local, None) == (
        "`test_a_class_inside_a_function_is_refused.<locals>.Local` is a class inside a"
        " function, where no replica finds it; move `Local` to the top level of its"
        " file"
    )


def test_a_class_without_a_file_or_a_prompt_is_refused() -> None:
    scope = {"__name__": "made_up"}
    exec(PREDICTOR, scope)

    assert refusal(scope["Iris"], None).startswith(
        "`Iris` comes from the module `made_up`, which has no file"
    )


def test_a_class_of_an_installed_package_takes_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert source_of(DummyClassifier, None) == Source(
        tmp_path, PredictorModule(module="sklearn.dummy", qualname="DummyClassifier")
    )


def test_a_class_of_an_installed_package_takes_the_folder_of_the_script(
    tmp_path: Path,
) -> None:
    (tmp_path / "project").mkdir()
    text = "from sklearn.dummy import DummyClassifier as Iris\n" + report()
    (tmp_path / "project" / "app.py").write_text(text)

    found = python("project/app.py", cwd=tmp_path)

    assert (found["root"], found["module"]) == (
        str(tmp_path / "project"),
        "sklearn.dummy",
    )


def test_a_name_with_a_dot_is_refused_with_a_better_one(tmp_path: Path) -> None:
    (tmp_path / "app.v2.py").write_text(PREDICTOR + report())

    assert python("app.v2.py", cwd=tmp_path)["error"] == (
        f"`{tmp_path}/app.v2.py` cannot be imported, since its name has a dot in it;"
        " rename it, for example to `app_v2.py`"
    )


def test_the_name_of_a_module_of_python_is_refused(tmp_path: Path) -> None:
    (tmp_path / "symtable.py").write_text(PREDICTOR + report())

    assert python("symtable.py", cwd=tmp_path)["error"] == (
        f"`{tmp_path}/symtable.py` cannot be imported as `symtable`, which is a module"
        " of Python itself; rename it, for example to `my_symtable.py`"
    )


def test_a_module_loaded_under_a_made_up_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PREDICTOR)
    code = (
        "import importlib.util as u, sys\n"
        "spec = u.spec_from_file_location('other', 'app.py')\n"
        "sys.modules['other'] = module = u.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "Iris = module.Iris\n"
    )

    error = python("-c", code + report(), cwd=tmp_path)["error"]

    assert error.startswith(f"`{tmp_path}/app.py` cannot be imported as `other`")


def test_project_overrides_the_root(
    modules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(modules / "src")
    cls = define(modules / "src", "app3")

    source = source_of(cls, str(modules), "src")

    assert source.root == modules
    assert source.reference == PredictorModule(module="app3", qualname="Iris")


def test_a_class_that_is_not_at_the_top_of_its_project_needs_a_python_path(
    tmp_path: Path,
) -> None:
    (tmp_path / "src" / "deep").mkdir(parents=True)
    (tmp_path / "src" / "deep" / "app.py").write_text(PREDICTOR + report("../.."))

    assert python("src/deep/app.py", cwd=tmp_path)["error"] == (
        f"`{tmp_path}/src/deep/app.py` is not at the top of the project `{tmp_path}`,"
        " where a replica imports from; set `python_path='src/deep'`"
    )


def test_project_is_relative_to_the_script(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text(PREDICTOR + report("..", "src"))

    found = python(tmp_path / "src" / "app.py", cwd=Path("/"))

    assert found == by_reference(tmp_path, "app")


def test_project_of_a_notebook_is_relative_to_the_working_directory(
    tmp_path: Path,
) -> None:
    (tmp_path / "data").mkdir()

    found = python("-c", PREDICTOR + report("data"), cwd=tmp_path)

    assert (found["kind"], found["root"]) == ("pickle", str(tmp_path / "data"))


def test_a_class_outside_its_project_is_refused_with_both_paths(modules: Path) -> None:
    cls = define(modules, "app4")
    (modules / "other").mkdir()

    assert refusal(cls, str(modules / "other")) == (
        f"`Iris` is in `{modules}/app4.py`, outside the project `{modules}/other`; set"
        " `project` to a folder that holds it"
    )


def test_a_project_that_is_no_folder_is_refused(modules: Path) -> None:
    cls = define(modules, "app5")

    assert refusal(cls, str(modules / "gone")) == (
        f"`SyncAPI.project` must be a folder, but there is none at `{modules}/gone`"
    )


def test_a_python_path_that_is_not_there_is_refused(modules: Path) -> None:
    cls = define(modules, "app6")

    assert refusal(cls, None, "lib") == (
        "`SyncAPI.python_path` must be a folder of the project, but"
        f" `{modules}` has no folder 'lib'"
    )


@pytest.mark.parametrize("way", ["script", "notebook", "project"])
def test_the_home_folder_is_no_project(tmp_path: Path, way: str) -> None:
    (tmp_path / "app.py").write_text(PREDICTOR + report())
    arguments: dict[str, tuple[object, ...]] = {
        "script": ("app.py",),
        "notebook": ("-c", PREDICTOR + report()),
        "project": ("-c", PREDICTOR + report("~")),
    }

    error = python(*arguments[way], cwd=tmp_path, home=tmp_path)["error"]

    assert error == (
        "the project would be the home folder with everything in it; put the files of"
        " the API into a folder of their own, or name one with `project`"
    )


@pytest.mark.parametrize("project", ["/", ".."])
def test_a_folder_above_the_home_folder_is_no_project(
    tmp_path: Path, project: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()

    found = python("-c", PREDICTOR + report(project), cwd=home, home=home)

    assert found["error"].startswith("the project would be `/")


def test_a_class_by_name_is_looked_for_without_being_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("raise RuntimeError")
    (tmp_path / "pkg" / "app.py").write_text("raise RuntimeError")

    assert source_of("pkg.app:Iris", None) == Source(
        tmp_path, PredictorModule(module="pkg.app", qualname="Iris")
    )


def test_a_class_by_name_is_relative_to_where_the_declaration_stands(
    tmp_path: Path,
) -> None:
    (tmp_path / "app.py").touch()

    assert source_of("app:Iris", None, None, tmp_path).root == tmp_path


def test_a_class_by_name_is_found_below_the_python_path(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").touch()

    source = source_of("app:Iris", None, "src", tmp_path)

    assert source.root == tmp_path


def test_a_class_by_name_may_be_installed(tmp_path: Path) -> None:
    source = source_of("sklearn.dummy:DummyClassifier", str(tmp_path))

    assert source.reference == PredictorModule(
        module="sklearn.dummy", qualname="DummyClassifier"
    )


def test_a_class_by_name_that_is_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "predictor.py").touch()
    (tmp_path / "src").mkdir()

    assert refusal("pkg.app:Iris", str(tmp_path)) == (
        f"`SyncAPI.predictor`: there is no module `pkg.app` in `{tmp_path}`, and"
        " none is installed; name a file of the project"
    )
    assert refusal("predictr:Iris", str(tmp_path), "src") == (
        f"`SyncAPI.predictor`: there is no module `predictr` in `{tmp_path}/src` and"
        f" `{tmp_path}`, and none is installed; did you mean `predictor`?"
    )


def test_a_working_directory_that_is_gone_is_said_so(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    first = f"import os, cortex_sdk.project.source\nos.rmdir({str(folder)!r})\n"
    code = first + PREDICTOR + report()

    assert "does not exist any more" in python("-c", code, cwd=folder)["error"]


def test_a_class_by_reference_is_not_to_be_pickled() -> None:
    assert source_of(Here, None).predictor is None


def test_a_class_by_value_is_pickled_so_that_another_process_can_load_it(
    tmp_path: Path,
) -> None:
    code = """
FACTOR = 3
def helper(value): return value * FACTOR
class Iris:
    def predict(self, payload: int) -> int:
        return helper(payload)
from pathlib import Path
from cortex_sdk.project.pickling import pickled
from cortex_sdk.project.source import source_of
Path("iris.pkl").write_bytes(pickled(source_of(Iris, None).predictor))
print("{}")
"""
    python("-c", code, cwd=tmp_path)

    cls = cloudpickle.loads((tmp_path / "iris.pkl").read_bytes())

    assert cls().predict(payload=2) == 6
