from pathlib import Path
from typing import Any

import pytest

from cortex_sdk import SyncAPI, TrafficSplitter, UnsupportedError
from cortex_sdk._target import Bounds
from cortex_sdk.declaration.deployable import Deployable
from cortex_sdk.local.agent.state import ApiState, Reach, Release
from cortex_sdk.local.gateway.split import Split
from cortex_sdk.local.home import Home
from cortex_sdk.local.target import LocalTarget

CODE = """
class Echo:
    def predict(self, payload):
        return payload
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path / "home"))
    return Home.of_user()


def echo(tmp_path: Path, **settings: Any) -> SyncAPI:
    project = tmp_path / "project"
    project.mkdir(exist_ok=True)
    (project / "app.py").write_text(CODE)
    return SyncAPI("app:Echo", project=str(project), **settings)


def serving(home: Home, revision: str) -> None:
    release = Release(revision=revision, python="python", bundle="b")
    state = ApiState(name="echo", reach=Reach(endpoint="/echo"))
    state.came_through(release, state.reach).write(home.api("echo").state)


def changes(target: LocalTarget, api: Deployable) -> dict[str, tuple[str, str]]:
    effects = target.preview(api).effects
    return {one.what: (one.before, one.after) for one in effects if one.is_change}


def test_an_api_that_is_not_there_is_new_and_nothing_is_touched(
    home: Home, tmp_path: Path
) -> None:
    preview = LocalTarget().preview(echo(tmp_path))

    assert preview.is_new
    assert preview.endpoint == "http://127.0.0.1:8077/echo"
    assert not home.root.exists()


def test_an_unchanged_api_changes_nothing(home: Home, tmp_path: Path) -> None:
    target = LocalTarget()
    serving(home, target.plan(echo(tmp_path)).revision)

    assert not target.preview(echo(tmp_path)).changed


def test_what_changes_is_named_with_what_was(home: Home, tmp_path: Path) -> None:
    target = LocalTarget()
    revision = target.plan(echo(tmp_path)).revision
    serving(home, revision)
    other = echo(tmp_path, networking={"endpoint": "/other"}, idempotent=True)

    assert changes(target, other) == {
        "endpoint": ("/echo", "/other"),
        "retries": ("none", "on another replica"),
    }


def test_other_weights_change_the_traffic_alone(home: Home) -> None:
    split = Split(name="all", endpoint="/all", apis={"a": 80, "b": 20})
    split.write(home.splitter("all"))

    moved = TrafficSplitter("all", apis={"a": 50, "b": 50})

    assert changes(LocalTarget(), moved) == {
        "traffic": ("80% a · 20% b", "50% a · 50% b")
    }


def test_saved_plans_are_refused_by_name(tmp_path: Path) -> None:
    target, api = LocalTarget(), echo(tmp_path)

    with pytest.raises(UnsupportedError, match="--save"):
        target.preview(api, save=tmp_path / "plan")
    with pytest.raises(UnsupportedError, match="--plan"):
        target.plan(api, saved=tmp_path / "plan")


def test_scale_and_refresh_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedError, match="local has no `scale`"):
        LocalTarget().scale("echo", Bounds(2, 2), print)
    with pytest.raises(UnsupportedError, match="local has no `refresh`"):
        LocalTarget().refresh("echo", print)
