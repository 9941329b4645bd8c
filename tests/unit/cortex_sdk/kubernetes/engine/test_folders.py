import stat
from pathlib import Path

import pytest

from cortex_sdk.errors import TargetError
from cortex_sdk.kubernetes.engine.folders import Folders


def test_stacks_are_those_with_a_state_compressed_or_not(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    of_project = folders.state / ".pulumi" / "stacks" / "cortex"
    of_project.mkdir(parents=True)
    for name in ("b.api.json", "b.api.json.bak", "a.json.gz", "a.json.gz.bak"):
        (of_project / name).touch()

    assert folders.stacks() == ["a", "b.api"]
    assert folders.state_file("b.api") == of_project / "b.api.json"
    assert folders.state_file("c") is None


def test_of_the_history_only_the_last_runs_are_kept(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    history = folders.state / ".pulumi" / "history" / "cortex" / "iris"
    history.mkdir(parents=True)
    for number in range(100, 130):
        (history / f"iris-{number}.history.json").touch()

    folders.forget_history("iris")

    assert sorted(file.name for file in history.iterdir()) == [
        f"iris-{number}.history.json" for number in range(110, 130)
    ]


def test_nothing_is_there_before_the_first_run(tmp_path: Path) -> None:
    assert Folders(tmp_path / "none").stacks() == []


def test_folders_are_for_this_user_alone(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "home" / "pulumi")

    folders.make(folders.work("iris"))

    for folder in (folders.root, folders.work("iris")):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(TargetError, match="Not a directory; make room or make it"):
        Folders(tmp_path / "file" / "pulumi").make()
