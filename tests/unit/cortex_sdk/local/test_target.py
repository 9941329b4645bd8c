from pathlib import Path
from typing import Any

import pytest

from cortex_sdk import SyncAPI, UnsupportedError
from cortex_sdk._target import Target
from cortex_sdk.local.target import LocalTarget

CODE = """
class Echo:
    def predict(self, payload):
        return payload
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def echo(tmp_path: Path, **settings: Any) -> SyncAPI:
    project = tmp_path / "project"
    project.mkdir(exist_ok=True)
    (project / "app.py").write_text(CODE)
    return SyncAPI("app:Echo", project=str(project), **settings)


def test_it_is_a_target(home: Path) -> None:
    target: Target = LocalTarget()

    assert target.name == "local"


def test_a_plan_touches_nothing(home: Path, tmp_path: Path) -> None:
    LocalTarget().plan(echo(tmp_path, secrets={"TOKEN": "x"}))

    assert not home.exists()


def test_a_plan_is_the_same_for_the_same_project(home: Path, tmp_path: Path) -> None:
    target = LocalTarget()

    first, second = (target.plan(echo(tmp_path)) for _ in range(2))

    assert first.revision == second.revision
    assert first.name == "echo"


def test_endpoint_and_retries_are_no_part_of_the_revision(
    home: Path, tmp_path: Path
) -> None:
    target = LocalTarget()

    plain = target.plan(echo(tmp_path))
    other = target.plan(
        echo(tmp_path, idempotent=True, networking={"endpoint": "/other"})
    )

    assert plain.revision == other.revision
    assert (plain.endpoint, plain.idempotent) == ("/echo", False)
    assert (other.endpoint, other.idempotent) == ("/other", True)


def test_a_plan_does_not_show_secrets(home: Path, tmp_path: Path) -> None:
    plan = LocalTarget().plan(echo(tmp_path, secrets={"TOKEN": "hush-hush"}))

    assert "hush-hush" not in repr(plan)
    assert repr(plan.key) not in repr(plan)


def test_a_plan_refuses_what_it_cannot_honour(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match=r"compute\.gpu=1"):
        LocalTarget().plan(echo(tmp_path, compute={"gpu": 1}))
