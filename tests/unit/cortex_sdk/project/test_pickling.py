import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from notebook import CELL

from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.project.pickling import pickled, resolve_hints

PICKLE = """
import sys
from pathlib import Path
from cortex_sdk.project.pickling import pickled, resolve_hints
resolve_hints(Iris)
Path(sys.argv[1]).write_bytes(pickled(Iris))
"""
LOAD = """
import cloudpickle, json, sys
from pathlib import Path
from pydantic import TypeAdapter
from cortex_server.interface import interface_of
cls = cloudpickle.loads(Path(sys.argv[1]).read_bytes())
hint = interface_of(cls).predict.payload_type or object
payload = TypeAdapter(hint).validate_json(sys.argv[2])
predictor = cls({}) if "config" in interface_of(cls).init.arguments else cls()
print(json.dumps(str(predictor.predict(payload=payload))))
"""


def predicted(cell: str, payload: object, folder: Path) -> Any:
    """What a class from a cell predicts in another process, one that never saw it."""
    path = folder / "class.pkl"
    for code, more in (
        (textwrap.dedent(cell) + PICKLE, []),
        (LOAD, [json.dumps(payload)]),
    ):
        command = [sys.executable, "-c", code, str(path), *more]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=True
        )
    return json.loads(done.stdout)


def test_a_class_travels_with_all_that_it_refers_to(tmp_path: Path) -> None:
    answer = predicted(CELL, {"x": 1.4, "color": "blue"}, tmp_path)

    assert answer.startswith("[np.float64(44.0), array([(1, 2.5), (3, 4.5)]")


def test_hints_that_are_text_travel_as_what_they_mean(tmp_path: Path) -> None:
    cell = """
    from __future__ import annotations
    from pydantic import BaseModel
    class Item(BaseModel):
        x: int
    class Iris:
        def predict(self, payload: Item) -> Item:
            return payload.x + 1
    """
    assert predicted(cell, {"x": 1}, tmp_path) == "2"


def test_a_cached_function_travels_with_its_limits(tmp_path: Path) -> None:
    cell = """
    import functools
    @functools.lru_cache(maxsize=7, typed=True)
    def double(number): return number * 2
    class Iris:
        def predict(self, payload): return double(payload), double.cache_parameters()
    """
    answer = predicted(cell, 4, tmp_path)

    assert answer == "(8, {'maxsize': 7, 'typed': True})"


def test_resolving_hints_twice_is_the_same_as_once() -> None:
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec("class Iris:\n  def predict(self, payload: 'list[int]'): ...", scope)
    method = scope["Iris"].predict

    resolve_hints(scope["Iris"])
    resolve_hints(scope["Iris"])

    assert method.__annotations__ == {"payload": list[int]}


def test_what_cannot_be_pickled_is_refused() -> None:
    scope: dict[str, Any] = {"__name__": "__main__", "stream": iter(x for x in ())}
    exec("class Iris:\n  def predict(self): return stream", scope)

    with pytest.raises(InvalidSpecError) as caught:
        pickled(scope["Iris"])

    assert str(caught.value) == (
        "`Iris` refers to something that cannot go along with it (cannot pickle"
        " 'generator' object); create it in `__init__`, or move the class to a Python"
        " file"
    )
