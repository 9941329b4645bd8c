import os
import stat
from pathlib import Path

import pytest

from cortex_sdk.errors import TargetError
from cortex_sdk.kubernetes.engine import passphrase
from cortex_sdk.kubernetes.engine.folders import Folders


def make_state(folders: Folders) -> None:
    file = folders.state / ".pulumi" / "stacks" / "cortex" / "iris.json"
    file.parent.mkdir(parents=True)
    file.touch()


def test_it_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    folders = Folders(tmp_path)

    passphrase.ensure(folders)
    first = folders.passphrase.read_text()
    passphrase.ensure(folders)

    assert folders.passphrase.read_text() == first
    assert len(first) >= 43
    assert stat.S_IMODE(folders.passphrase.stat().st_mode) == 0o600
    assert first not in os.environ.values()


def test_each_home_has_another_one(tmp_path: Path) -> None:
    one, other = Folders(tmp_path / "one"), Folders(tmp_path / "other")

    passphrase.ensure(one)
    passphrase.ensure(other)

    assert one.passphrase.read_text() != other.passphrase.read_text()


def test_one_that_is_gone_is_not_replaced_but_told(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    make_state(folders)

    with pytest.raises(TargetError, match="passphrase is gone"):
        passphrase.ensure(folders)

    assert not folders.passphrase.exists()


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(TargetError, match="cannot write to"):
        passphrase.ensure(Folders(tmp_path / "file" / "pulumi"))
