import os
import shutil
from pathlib import Path

import pytest

from cortex_sdk.errors import TargetError
from cortex_sdk.local.home import Home, write

LONGEST_SOCKET = 100


def test_the_variable_names_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path / "home"))

    assert Home.of_user().root == tmp_path / "home"


def test_without_the_variable_it_is_in_the_users_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CORTEX_HOME", raising=False)

    assert Home.of_user().root == Path.home() / ".cortex"


def test_a_relative_home_is_one_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CORTEX_HOME", "home")

    assert Home.of_user().root == tmp_path / "home"


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")

    home.make()

    assert home.root.stat().st_mode & 0o777 == 0o700
    assert home.run.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(home.run)  # elsewhere if tmp_path is deep


@pytest.mark.parametrize("depth", [1, 10, 100])
def test_sockets_are_never_too_deep(depth: int) -> None:
    home = Home(Path("/" + "x" * depth))
    sockets = [
        home.agent_socket,
        home.gateway_socket,
        home.replica("abcdef-012345").admin,
        home.replica("abcdef-012345").public,
    ]

    assert max(len(os.fsencode(path)) for path in sockets) <= LONGEST_SOCKET


def test_two_deep_homes_do_not_share_their_sockets() -> None:
    one, other = (Home(Path("/", "x" * 100, name)) for name in ("a", "b"))

    assert one.run != other.run


def test_a_folder_for_sockets_that_is_a_link_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    (home.root / "elsewhere").mkdir()
    (home.root / "run").symlink_to(home.root / "elsewhere")
    monkeypatch.setattr(Home, "run", home.root / "run")

    with pytest.raises(TargetError, match="is somebody else's"):
        home.make()


def test_what_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(TargetError) as caught:
        Home(tmp_path / "file" / "home").make()

    assert str(caught.value) == (
        f"cannot write to CORTEX_HOME ({tmp_path}/file/home): Not a directory; make"
        " room or make it writable, or set CORTEX_HOME to another folder"
    )


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    full = OSError(28, "No space left on device")

    with pytest.raises(TargetError, match="No space left"), Home(tmp_path).writing():
        raise full


def test_a_key_is_kept_for_the_next_time(tmp_path: Path) -> None:
    home = Home(tmp_path)
    key = home.key()
    assert not any(tmp_path.iterdir()), "asking for it writes nothing"

    home.keep_key(key)
    home.keep_key(b"another")

    assert home.key() == key
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state"
    write(path, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(path, b"new")

    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["state"]
