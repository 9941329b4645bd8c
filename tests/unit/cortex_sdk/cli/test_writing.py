import stat
from pathlib import Path

import pytest

from cortex_sdk.cli.writing import write_files
from cortex_sdk.errors import TargetError

FILES = {"a.yaml": b"a", "b.yaml": b"b"}


def test_the_folder_is_made_and_has_all_files(tmp_path: Path) -> None:
    write_files(tmp_path / "x" / "y", FILES, force=False)

    found = {p.name: p.read_bytes() for p in (tmp_path / "x" / "y").iterdir()}
    assert found == FILES


def test_nothing_is_written_where_a_file_is_there_already(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("mine")

    with pytest.raises(TargetError, match=r"has b\.yaml already; --force replaces"):
        write_files(tmp_path, FILES, force=False)

    assert [path.name for path in tmp_path.iterdir()] == ["b.yaml"]
    assert (tmp_path / "b.yaml").read_text() == "mine"


def test_files_are_replaced_by_force_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("mine")
    (tmp_path / "c.yaml").write_text("mine")

    write_files(tmp_path, FILES, force=True)

    assert (tmp_path / "b.yaml").read_bytes() == b"b"
    assert (tmp_path / "c.yaml").read_text() == "mine"


@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o644)])
def test_secrets_are_for_this_user_alone(
    tmp_path: Path, *, private: bool, mode: int
) -> None:
    (tmp_path / "a.yaml").touch(mode=0o664)

    write_files(tmp_path, FILES, force=True, private=private)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {mode}


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(TargetError, match="cannot write to"):
        write_files(tmp_path / "file" / "x", FILES, force=False)
