import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cortex_server.manifest import LOADING_IN_REPLICA, LOADING_VARIABLE

FILE = """
from cortex_sdk import Compute, Rule, SyncAPI, TrafficSplitter

class P:
    def predict(self): ...

api = SyncAPI(predictor=P, compute=Compute(cpu="500m"))
api.deploy("local")
rules = [Rule(header="x-variant", value="p", api=api)]
splitter = TrafficSplitter("all", apis={api: 100}, rules=rules)
splitter.deploy("local")
"""


def said(tmp_path: Path, lines: str) -> Any:
    (tmp_path / "app.py").write_text(FILE)
    script = f"import json, sys; sys.path.insert(0, {str(tmp_path)!r}); import app\n"
    done = subprocess.run(
        [sys.executable, "-c", script + lines],
        env={**os.environ, LOADING_VARIABLE: LOADING_IN_REPLICA},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_a_replica_loads_a_file_that_deploys_without_what_checks_it(
    tmp_path: Path,
) -> None:
    assert said(tmp_path, 'print(json.dumps("pydantic" in sys.modules))') is False


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("app.api.name", "p"),
        ("app.api.compute.cpu", 0.5),
        ("app.api.timeout", 600),
        ("app.splitter.apis", {"p": 100}),
        ("app.splitter.rules[0].api", "p"),
    ],
)
def test_a_declaration_is_made_when_somebody_asks(
    tmp_path: Path, expression: str, value: object
) -> None:
    assert said(tmp_path, f"print(json.dumps({expression}))") == value
