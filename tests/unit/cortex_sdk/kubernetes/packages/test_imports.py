import json
import pickle
from collections import Counter
from decimal import Decimal
from pathlib import Path

from cortex_sdk.kubernetes.packages.imports import imported, of_session, pickled
from cortex_sdk.project.files import project_files


def modules(folder: Path, name: str, text: str) -> set[str]:
    (folder / name).write_text(text)
    return imported(project_files(folder))


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    code = """
import joblib, numpy.linalg as la
from sklearn.svm import SVC
class A:
    def f(self):
        import torch
try:
    import tomllib
except ImportError: ...
"""

    found = modules(tmp_path, "app.py", code)

    assert found == {"joblib", "numpy", "sklearn", "torch", "tomllib"}


def test_relative_imports_are_the_projects_own(tmp_path: Path) -> None:
    assert modules(tmp_path, "app.py", "from . import a\nfrom .b import c") == set()


def test_a_notebook_names_the_modules_of_what_is_in_its_variables() -> None:
    session = {"json": json, "D": Decimal, "d": Decimal(), "__name__": "__main__"}

    assert {"json", "decimal"} <= of_session(session)
    assert "IPython" not in of_session({"json": json})


def test_what_is_no_python_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"import \xff")

    assert modules(tmp_path, "template.py", "import {{ name }}") == set()


def test_a_pickle_names_the_modules_of_what_is_in_it() -> None:
    assert {"collections", "decimal"} <= pickled(pickle.dumps([Counter, Decimal]))
