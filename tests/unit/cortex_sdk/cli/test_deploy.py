import json
from pathlib import Path

import pytest
from fakes import FakeTarget, Run

from cortex_sdk import _call
from cortex_sdk.errors import DeployError, PredictError

DOUBLE = """
from cortex_sdk import SyncAPI

print("imported")

class Double:
    def predict(self, payload):
        return payload

class Triple(Double):
    pass
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A file that declares one API."""
    path = tmp_path / "app.py"
    path.write_text(f"{DOUBLE}\nSyncAPI(Double).deploy('local')\n")
    return path


@pytest.fixture
def apps(tmp_path: Path) -> Path:
    """A file that declares two."""
    path = tmp_path / "apps.py"
    path.write_text(f"{DOUBLE}\ndouble = SyncAPI(Double)\nthird = SyncAPI(Triple)\n")
    return path


def test_prints_the_endpoint_and_what_to_do_next(
    cortex: Run, target: FakeTarget, app: Path
) -> None:
    result = cortex("deploy", app)

    assert result.code == 0
    assert result.out == "endpoint   http://h/double\n"
    assert target.did == ["deploy double"]
    for command in ("predict double FILE", "get double", "logs double --follow"):
        assert f"cortex {command}" in result.err


def test_progress_is_plain_lines_on_standard_error(
    cortex: Run, target: FakeTarget, app: Path
) -> None:
    lines = cortex("deploy", app).err.splitlines()

    assert lines[:3] == [
        "imported",
        "double: packing the project",
        "double: starting replica",
    ]
    assert lines[3].startswith("double: is live at http://h/double")


def test_sends_a_payload_afterwards(
    cortex: Run,
    target: FakeTarget,
    app: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    payload = tmp_path / "sample 1.json"
    payload.write_text("[1]")
    monkeypatch.setattr(_call, "send", lambda *_, timeout, host: {"label": "ä"})

    result = cortex("deploy", app, "--payload", payload)

    assert result.out == ('endpoint   http://h/double\nanswer     {"label": "ä"}\n')
    assert f"cortex predict double '{payload}'" in result.err


def test_an_answer_that_is_an_error_fails_after_the_endpoint_is_told(
    cortex: Run,
    target: FakeTarget,
    app: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def send(*_: object, timeout: float, host: str | None) -> None:
        msg = "the API answered 400: no list"
        raise PredictError(msg, 400, {})

    monkeypatch.setattr(_call, "send", send)
    (tmp_path / "a.json").write_text("[1]")

    result = cortex("deploy", app, "--payload", tmp_path / "a.json")

    assert result.code == 1
    assert result.out == "endpoint   http://h/double\n"
    assert "the API answered 400: no list\n" in result.err


def test_deploys_all_and_reports_each_that_fails(
    cortex: Run, target: FakeTarget, apps: Path
) -> None:
    target.failing["double"] = DeployError("it did not start", "frames")

    result = cortex("deploy", apps)

    assert result.code == 1
    assert target.did == ["deploy double", "deploy triple"]
    assert "frames\ndouble: it did not start\n" in result.err
    assert result.err.endswith("1 of 2 failed: double\n")
    assert result.out.splitlines() == [
        "NAME     REVISION       ENDPOINT",
        "triple   a1b2c3d4e5f6   http://h/triple",
    ]


def test_a_failed_update_says_that_the_old_revision_serves_on(
    cortex: Run, target: FakeTarget, app: Path
) -> None:
    target.with_api("double").failing["double"] = DeployError("it did not start")

    result = cortex("deploy", app)

    assert result.code == 1
    assert result.err.endswith(
        "it did not start\ndouble serves on as it was (revision a1b2c3d4e5f6)\n"
    )


def test_json_has_an_object_for_each(
    cortex: Run, target: FakeTarget, apps: Path
) -> None:
    target.failing["double"] = DeployError("it did not start")

    result = cortex("deploy", apps, "-o", "json")

    assert json.loads(result.out) == [
        {
            "name": "double",
            "target": None,
            "endpoint": None,
            "revision": None,
            "changed": None,
            "answer": None,
            "error": "it did not start",
        },
        {
            "name": "triple",
            "target": "local",
            "endpoint": "http://h/triple",
            "revision": "a1b2c3d4e5f6",
            "changed": True,
            "answer": None,
            "error": None,
        },
    ]


@pytest.mark.parametrize("chosen", ["third", "triple"])
def test_one_of_several_goes_by_variable_or_by_name(
    cortex: Run, target: FakeTarget, apps: Path, chosen: str
) -> None:
    assert cortex("deploy", f"{apps}:{chosen}").code == 0
    assert target.did == ["deploy triple"]


def test_a_name_declared_twice_deploys_nothing(
    cortex: Run, target: FakeTarget, app: Path, apps: Path
) -> None:
    result = cortex("deploy", app, apps)

    assert result.code == 1
    assert "the name 'double' is declared 2 times" in result.err
    assert target.did == []


def test_one_payload_for_several_apis_deploys_nothing(
    cortex: Run, target: FakeTarget, apps: Path
) -> None:
    result = cortex("deploy", apps, "--payload", apps)

    assert result.code == 2
    assert "it goes to one API, but 2 are declared" in result.err
    assert target.did == []


def test_a_file_that_is_not_there_deploys_nothing(
    cortex: Run, target: FakeTarget, app: Path
) -> None:
    result = cortex("deploy", app, app.with_name("ap.py"))

    assert result.code == 1
    assert "ap.py`; did you mean" in result.err.splitlines()[-1]
    assert target.did == []


def test_an_interrupt_ends_the_command(
    cortex: Run, target: FakeTarget, apps: Path
) -> None:
    target.failing["double"] = KeyboardInterrupt()

    result = cortex("deploy", apps)

    assert result.code == 130
    assert target.did == ["deploy double"]
