"""What the engine does with one stack, by the real CLI."""

import os
import stat
from pathlib import Path

import pulumi
import pytest
from e2e.engine.programs import naps

from cortex_sdk._preview import ResourceChange as Change
from cortex_sdk.errors import DeployError, InvalidSpecError
from cortex_sdk.kubernetes.engine import Engine

pytestmark = pytest.mark.timeout(600)
ONE = Change("create", "index/Nap", "one", ())


def quiet(_: str) -> None:
    pass


def test_up_makes_what_the_program_declares(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "file"

    outcome = engine.up("iris", naps(one={"path": file, "text": "a"}), quiet)

    assert outcome.changes == (ONE,)
    assert outcome.outputs == {"names": ["one"]}
    assert outcome.resources == 1
    assert file.read_text() == "a"


def test_an_unchanged_program_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    program = naps(one={"path": tmp_path / "file"})
    engine.up("iris", program, quiet)

    outcome = engine.up("iris", program, quiet)

    assert not outcome.changed
    assert outcome.resources == 1


def test_a_change_names_the_paths_that_differ(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "file"
    engine.up("iris", naps(one={"path": file, "text": "a"}), quiet)

    outcome = engine.up("iris", naps(one={"path": file, "text": "b"}), quiet)

    assert outcome.changes == (Change("update", "index/Nap", "one", ("text",)),)
    assert file.read_text() == "b"


def test_a_preview_tells_what_would_change_and_touches_nothing(
    engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "file"

    outcome = engine.preview("iris", naps(one={"path": file}), quiet)

    assert outcome.changes == (ONE,)
    assert not file.exists()
    assert not engine.exists("iris")


def test_destroy_leaves_nothing(engine: Engine, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    engine.up("iris", naps(one={"path": file}), quiet)

    outcome = engine.destroy("iris", quiet)

    assert outcome.changes == (Change("delete", "index/Nap", "one", ()),)
    assert not file.exists()
    assert engine.stacks() == []
    assert not list((home / "stacks").iterdir())
    assert not list((home / "turns").iterdir())


def test_destroying_what_is_not_there_is_no_error(engine: Engine) -> None:
    assert not engine.destroy("iris", quiet).changed


def test_progress_says_what_is_being_done(engine: Engine, tmp_path: Path) -> None:
    lines: list[str] = []

    engine.up("iris", naps(one={"path": tmp_path / "file"}), lines.append)

    assert lines == ["creating Nap one", "waiting: 0 of 1 pods ready"]


def test_an_exception_of_the_program_comes_back_as_it_was(engine: Engine) -> None:
    error = InvalidSpecError("the model is not there")

    def program() -> None:
        raise error

    with pytest.raises(InvalidSpecError) as caught:
        engine.up("iris", program, quiet)

    assert caught.value is error


def test_a_failing_resource_is_named_with_its_reason(
    engine: Engine, tmp_path: Path
) -> None:
    program = naps(one={"path": tmp_path / "file", "fault": "no room\nin the inn"})

    with pytest.raises(DeployError) as caught:
        engine.up("iris", program, quiet)

    assert str(caught.value) == "Nap one no room, in the inn"


def test_abort_stops_a_run_with_its_text(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "file"

    def abort() -> str | None:
        return "the image is not there" if Path(f"{file}.begun").exists() else None

    with pytest.raises(DeployError, match=r"^the image is not there$"):
        engine.up("iris", naps(one={"path": file, "seconds": 60}), quiet, abort=abort)


def test_a_saved_plan_is_followed(engine: Engine, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    program = naps(one={"path": tmp_path / "file"})
    engine.preview("iris", program, quiet, save=plan)

    outcome = engine.up("iris", program, quiet, plan=plan)

    assert outcome.changes == (ONE,)
    assert stat.S_IMODE(plan.stat().st_mode) == 0o600


def test_a_plan_that_no_longer_fits_is_refused_without_values(
    engine: Engine, tmp_path: Path
) -> None:
    plan, file = tmp_path / "plan.json", tmp_path / "file"
    engine.preview("iris", naps(one={"path": file, "text": "a"}), quiet, save=plan)

    with pytest.raises(DeployError) as caught:
        engine.up("iris", naps(one={"path": file, "text": "b4d"}), quiet, plan=plan)

    assert "the plan no longer fits what would change now (Nap one)" in str(
        caught.value
    )
    assert "b4d" not in str(caught.value)
    assert not file.exists()


def test_secrets_are_in_no_file_that_others_read_and_in_no_environment(
    engine: Engine, home: Path, tmp_path: Path
) -> None:
    def program() -> None:
        pulumi.export("key", pulumi.Output.secret("hunter2"))

    outcome = engine.up("iris", program, quiet)

    assert outcome.outputs == {"key": "[secret]"}
    assert stat.S_IMODE((home / "passphrase").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    passphrase = (home / "passphrase").read_text()
    assert passphrase not in os.environ.values()
    for file in filter(Path.is_file, tmp_path.rglob("*")):
        assert b"hunter2" not in file.read_bytes(), file
        assert file.name == "passphrase" or passphrase.encode() not in file.read_bytes()
