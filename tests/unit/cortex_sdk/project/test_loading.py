import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cortex_sdk.errors import CortexError, InvalidSpecError
from cortex_sdk.project import loading
from cortex_sdk.project.loading import load

HEAD = """\
from cortex_sdk import SyncAPI

class Iris:
    def predict(self, payload):
        return 1

"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "app", raising=False)  # of another test
    modules, path = dict(sys.modules), list(sys.path)
    yield
    assert sys.path == path
    assert not loading.is_loading()
    for name in set(sys.modules) - set(modules):
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(
            str(tmp_path)
        ):
            del sys.modules[name]


def write(text: str, name: str = "app.py") -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + text)
    return name


def names(target: str) -> list[str]:
    return [api.name for api in load(target)]


def refusal(target: str) -> InvalidSpecError:
    with pytest.raises(InvalidSpecError) as caught:
        load(target)
    assert "\n" not in str(caught.value)
    return caught.value


def test_splitters_come_after_the_apis_that_they_need() -> None:
    splitter = "cortex_sdk.TrafficSplitter('all', apis={'one': 100}).deploy('local')"
    app = write(f"import cortex_sdk\n{splitter}\nSyncAPI(Iris, name='one')")

    assert names(app) == ["one", "all"]


def test_a_file_may_declare_a_splitter_alone() -> None:
    app = write("from cortex_sdk import *\nTrafficSplitter('all', apis={'one': 100})")

    assert names(app) == ["all"]


def test_a_file_gives_every_api_it_declares() -> None:
    app = write("one = SyncAPI(Iris, name='one')\ntwo = SyncAPI(Iris, name='two')")

    assert names(app) == ["one", "two"]


def test_an_api_that_no_variable_holds_is_found_and_not_deployed() -> None:
    app = write('SyncAPI(predictor=Iris).deploy("local")')

    assert names(app) == ["iris"]


def test_apis_in_a_list_and_of_a_function_are_found() -> None:
    app = write(
        "apis = [SyncAPI(Iris, name=f'iris-{n}') for n in range(2)]\n"
        "def make(): return SyncAPI(Iris, name='made')\n"
        "make()"
    )

    assert names(app) == ["iris-0", "iris-1", "made"]


def test_an_api_of_a_module_that_was_imported_before_is_found() -> None:
    load(write("api = SyncAPI(Iris, name='there')", "there.py"))
    app = write("from there import api")

    assert names(app) == ["there"]


def test_an_api_with_two_names_counts_once() -> None:
    app = write("one = SyncAPI(Iris)\ntwo = one")

    assert names(app) == ["iris"]


def test_an_api_that_was_refused_is_not_declared() -> None:
    app = write("try: SyncAPI(Iris, name='A')\nexcept Exception: SyncAPI(Iris)")

    assert names(app) == ["iris"]


def test_a_file_is_loaded_under_its_own_name_with_its_folder_first() -> None:
    write("FACTOR = 3", "deep/beside.py")
    app = write(
        "import beside, sys\n"
        "assert __name__ == 'app' and sys.modules['app'].Iris is Iris\n"
        "SyncAPI(Iris, name=f'by-{beside.FACTOR}')",
        "deep/app.py",
    )

    (api,) = load(app)

    assert api.name == "by-3"
    assert api.predictor.__module__ == "app"
    assert api.folder == Path.cwd() / "deep"


def test_a_file_may_have_a_hyphen_in_its_name() -> None:
    assert names(write("SyncAPI(Iris)", "my-app.py")) == ["iris"]


def test_a_file_that_changed_at_once_is_loaded_as_it_is() -> None:
    load(write("SyncAPI(Iris, name='one')"))

    assert names(write("SyncAPI(Iris, name='two')")) == ["two"]


def test_a_module_is_loaded_by_its_name() -> None:
    write("SyncAPI(Iris)", "pkg/sub/api.py")

    (api,) = load("pkg.sub.api")

    assert api.predictor.__module__ == "pkg.sub.api"
    assert api.folder == Path.cwd()


@pytest.mark.parametrize("source", ["app", "app.py"])
def test_one_variable_can_be_chosen(source: str) -> None:
    write("one = SyncAPI(Iris, name='one')\ntwo = SyncAPI(Iris, name='two')")

    assert names(f"{source}:two") == ["two"]


def test_verbs_do_nothing_and_their_results_say_so() -> None:
    app = write(
        "deployed = SyncAPI(Iris).deploy('nowhere')\n"
        "found = SyncAPI(Iris, name='other').deployment()"
    )

    load(app)
    deployed = sys.modules["app"].deployed

    with pytest.raises(CortexError, match='under `if __name__ == "__main__":`'):
        deployed.predict(1)
    for use in (bool, len, str, iter, hash):
        with pytest.raises((CortexError, TypeError)):
            use(deployed)


def test_a_loaded_file_leaves_the_environment_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = write("import os\nSyncAPI(Iris, name='n' + os.environ['CORTEX_LOADING'])")
    assert names(app) == ["n1"]
    assert "CORTEX_LOADING" not in os.environ

    monkeypatch.setenv("CORTEX_LOADING", "1")  # a replica that loads a loader
    load(app)

    assert os.environ.pop("CORTEX_LOADING") == "1"


def test_an_api_declared_outside_of_a_load_is_not_collected() -> None:
    app = write("SyncAPI(Iris)")
    load(app)
    module = sys.modules["app"]

    api = module.SyncAPI(module.Iris)

    assert api.folder is None


def test_a_missing_file_is_refused_with_the_nearest() -> None:
    write("", "deep/iris_app.py")

    assert str(refusal("deep/iris_ap.py")) == (
        "there is no file `deep/iris_ap.py`; did you mean `deep/iris_app.py`?"
    )
    assert str(refusal("other.py")) == (
        "there is no file `other.py`; name a Python file"
    )


def test_a_missing_module_is_refused_with_the_nearest_file() -> None:
    write("")

    assert str(refusal("ap")) == (
        "there is no file or module `ap`; did you mean `app.py`?"
    )
    assert str(refusal("pkg.nothing:api")) == (
        "there is no file or module `pkg.nothing`; name a Python file"
    )
    assert "there is no file or module ``" in str(refusal(":api"))


@pytest.mark.parametrize("name", ["notes.txt", "Dockerfile", "folder", "folder.py"])
def test_what_is_no_python_file_is_refused(name: str) -> None:
    if name.startswith("folder"):
        Path(name, "x").mkdir(parents=True)
    else:
        Path(name).touch()

    assert str(refusal(name if "." in name else f"./{name}")).endswith(
        "is not a Python file; name one that declares a SyncAPI"
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "app.v2.py",
            "its name has a dot in it; rename it, for example to `app_v2.py`",
        ),
        (
            "json.py",
            "a module of Python itself; rename it, for example to `my_json.py`",
        ),
        ("pydantic.py", "has the name of the installed module `pydantic`; rename it"),
    ],
)
def test_a_file_that_could_not_be_imported_by_its_name_is_refused(
    name: str, reason: str
) -> None:
    assert reason in str(refusal(write("SyncAPI(Iris)", name)))
    assert "site-packages" in sys.modules["pydantic"].__file__  # type: ignore[operator]  # it has one


def test_an_exception_is_told_with_its_line_and_the_frames_of_the_user() -> None:
    write("def inner(): raise ValueError('bad\\nworse')", "helper.py")
    app = write(
        "from pydantic import TypeAdapter, BeforeValidator\n"
        "from typing import Annotated\n"
        "import helper\n"
        "class Model:\n"
        "    def __index__(self): helper.inner()\n"
        "range(Model())"
    )

    error = refusal(app)

    assert str(error) == "`helper.py`, line 7: ValueError: bad"
    assert error.traceback.splitlines()[0] == "Traceback (most recent call last):"
    assert error.traceback.endswith("ValueError: bad\nworse\n")
    files = [line for line in error.traceback.splitlines() if "File " in line]
    assert [line.split('"')[1] for line in files] == [
        str(Path.cwd() / name) for name in ("app.py", "app.py", "helper.py")
    ]


def test_frames_of_libraries_are_left_out_of_a_traceback() -> None:
    app = write(
        "import joblib\n"
        "try: joblib.load('gone.joblib')\n"
        "except OSError as error: raise RuntimeError('no model') from error"
    )

    error = refusal(app)

    assert str(error) == "`app.py`, line 9: RuntimeError: no model"
    assert "FileNotFoundError" in error.traceback
    assert "site-packages" not in error.traceback
    assert "importlib" not in error.traceback
    assert "cortex_sdk/_" not in error.traceback


def test_a_missing_package_is_refused_with_what_to_do() -> None:
    assert str(refusal(write("import no_such_package.sub"))) == (
        "`app.py`, line 7: there is no module `no_such_package`; run `pip install"
        " no_such_package`, and name it in `requirements` if there are any"
    )


def test_a_missing_module_is_refused_with_the_name_of_its_package() -> None:
    app = write("import skimage.io")  # which no test installs

    assert "run `pip install scikit-image`," in str(refusal(app))


def test_a_missing_name_of_a_package_is_told() -> None:
    assert "`app.py`, line 7: ImportError: cannot import name 'nothing'" in str(
        refusal(write("from json import nothing"))
    )


def test_a_syntax_error_is_told_with_its_line() -> None:
    write("def broken(:", "helper.py")

    error = refusal(write("import helper"))

    assert str(error) == "`helper.py`, line 7: invalid syntax"
    assert "def broken(:" in error.traceback


def test_a_file_that_ends_the_program_is_refused() -> None:
    assert str(refusal(write("import sys\nsys.exit(3)"))) == (
        "`app.py`, line 8: it ends the program; put that line under"
        ' `if __name__ == "__main__":`'
    )


def test_a_wrong_declaration_is_told_with_its_line() -> None:
    error = refusal(write("SyncAPI(Iris, nmae='iris')"))

    assert str(error) == (
        "`app.py`, line 7: `SyncAPI` has no field `nmae`; did you mean `name`?"
    )
    assert error.traceback == ""


def test_a_result_that_is_used_is_told_with_its_line() -> None:
    app = write("deployed = SyncAPI(Iris).deploy()\nprint(deployed.predict(1))")

    assert str(refusal(app)).startswith("`app.py`, line 8: `deploy` does nothing while")


def test_an_interrupt_goes_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        load(write("raise KeyboardInterrupt"))
    assert "app" not in sys.modules


@pytest.mark.parametrize(
    "text", ["", 'if __name__ == "__main__":\n    SyncAPI(Iris)', "api = SyncAPI"]
)
def test_a_file_without_an_api_is_refused(text: str) -> None:
    assert str(refusal(write(text))) == (
        "`app.py` declares no SyncAPI; add one, such as `SyncAPI(predictor=Iris)`,"
        " outside of any `if __name__ ==`"
    )


def test_two_apis_of_one_name_are_refused() -> None:
    assert str(refusal(write("SyncAPI(Iris)\nSyncAPI(Iris, timeout=5)"))) == (
        "`app.py` declares 2 APIs named 'iris'; give each a name of its own, such as"
        ' `SyncAPI(..., name="other")`'
    )


def test_a_variable_that_is_not_there_is_refused_with_the_nearest() -> None:
    write("iris_api = SyncAPI(Iris)")

    assert str(refusal("app:irisapi")) == (
        "`app` has no SyncAPI in a variable `irisapi`; did you mean `iris_api`?"
    )
    assert str(refusal("app.py:Iris2")).endswith("it has `iris_api`")


def test_a_module_without_an_api_in_a_variable_has_none_to_choose() -> None:
    write("SyncAPI(Iris)")

    assert str(refusal("app:api")) == (
        "`app` has no SyncAPI in a variable `api`; it has none"
    )
