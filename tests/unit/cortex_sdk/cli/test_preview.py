import json
from pathlib import Path

import pytest
from fakes import FakeTarget, Run

from cortex_sdk._preview import Preview, ResourceChange, effects_of

APP = """
from cortex_sdk import SyncAPI

class Iris:
    def predict(self, payload): return payload

SyncAPI(Iris)
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "previewed.py"
    path.write_text(APP)
    return path


def previewed(before: dict[str, str], after: dict[str, str]) -> Preview:
    resources = ()
    if before != after:
        resources = (ResourceChange("update", "apps/v1/Deployment", "iris", ("spec",)),)
    return Preview(
        name="iris",
        target="fake",
        endpoint="http://h/iris",
        revision="b",
        effects=effects_of(before, after),
        resources=resources,
    )


def test_it_shows_effects_and_then_objects(
    cortex: Run, target: FakeTarget, app: Path
) -> None:
    target.previewed = previewed({"revision": "a"}, {"revision": "b"})

    result = cortex("preview", app)

    assert result.code == 0
    assert result.out.splitlines() == [
        "iris changes on fake",
        "revision   a → b",
        "",
        "CHANGE   KIND                 NAME   WHAT",
        "update   apps/v1/Deployment   iris   spec",
    ]


def test_nothing_to_do_is_said_and_is_no_failure(
    cortex: Run, target: FakeTarget, app: Path
) -> None:
    target.previewed = previewed({"revision": "a"}, {"revision": "a"})

    result = cortex("preview", app)

    assert (result.code, result.out) == (
        0,
        "iris is up to date on fake: nothing changes\n",
    )


def test_as_json_it_is_a_list(cortex: Run, target: FakeTarget, app: Path) -> None:
    target.previewed = previewed({}, {"revision": "b"})

    (only,) = json.loads(cortex("preview", app, "-o", "json").out)

    assert (only["name"], only["changed"]) == ("iris", True)


def test_a_plan_is_saved_where_it_is_wanted(
    cortex: Run, target: FakeTarget, app: Path
) -> None:
    target.previewed = previewed({}, {"revision": "b"})

    result = cortex("preview", app, "--save", app.parent / "plan", "--refresh")

    assert target.did == [f"preview refresh=True save={app.parent / 'plan'} iris"]
    assert "the plan is in" in result.err


def test_a_saved_plan_is_handed_to_the_deploy(
    cortex: Run, target: FakeTarget, app: Path
) -> None:
    plan = app.parent / "plan"
    plan.touch()

    cortex("deploy", app, "--plan", plan, "--refresh")

    assert target.did == [f"plan saved={plan} refresh=True", "deploy iris"]


def test_a_plan_is_for_one_api(cortex: Run, target: FakeTarget, app: Path) -> None:
    app.write_text(APP + 'SyncAPI(Iris, name="other")\n')

    result = cortex("preview", app, "--save", app.parent / "plan")

    assert result.code == 2
    assert "2 are declared" in result.err
