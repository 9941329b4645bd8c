import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from unit.cortex_server.worker.models.declared import version

from cortex_server.worker.models.disk import Disk
from cortex_server.worker.models.locks import Lock
from cortex_server.worker.models.memory import Limits
from cortex_server.worker.models.versions import File, ListingError, Version

LIMIT = 20.0


class Far:
    """A place whose files are made up, and counted."""

    address = "far://"

    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.has_begun = threading.Event()
        self.gate: threading.Event | None = None
        self.fails = False

    def look(self) -> list[File]:
        raise NotImplementedError

    def local(self, version: Version) -> None:
        raise NotImplementedError

    def fetch(self, version: Version, folder: Path) -> Path:
        self.fetched.append(version.name)
        name = version.files[0].name or "model.onnx"
        (folder / name).write_text(version.name)
        self.has_begun.set()
        if self.gate:
            assert self.gate.wait(LIMIT)
        if self.fails:
            raise ListingError("cut off")
        return folder


@pytest.fixture
def far() -> Far:
    return Far()


def disk_in(folder: Path, number: int | None = None, size: int | None = None) -> Disk:
    return Disk(folder / "kept", Limits(number, size))


def use(disk: Disk, far: Far, name: str, size: int = 1) -> Path:
    kept = disk.keep(version(name, size=size), far)
    kept.release()
    return kept.path


def names(disk: Disk) -> list[str]:
    return [name.partition("-")[0] for name in disk.sizes()]


def test_a_model_is_downloaded_once(tmp_path: Path, far: Far) -> None:
    paths = {use(disk_in(tmp_path), far, "a") for _ in range(3)}

    assert far.fetched == ["a"]
    assert [(path / "a").read_text() for path in paths] == ["a"]


def test_a_version_that_changed_is_another_one(tmp_path: Path, far: Far) -> None:
    disk = disk_in(tmp_path)

    for mark in ("x", "y"):
        disk.keep(version("a", mark=mark), far).release()

    assert far.fetched == ["a", "a"]


def test_a_model_that_is_a_file_is_kept_as_one(tmp_path: Path, far: Far) -> None:
    alone = Version("a", 1, "far://a.onnx", (File("", 1, ""),))

    kept = disk_in(tmp_path).keep(alone, far)

    assert kept.path.name == "model.onnx"
    assert kept.path.read_text() == "a"
    kept.release()


def test_those_who_ask_together_share_a_download(tmp_path: Path, far: Far) -> None:
    far.gate = threading.Event()

    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(use, disk_in(tmp_path), far, "a") for _ in range(3)]
        assert far.has_begun.wait(LIMIT)
        far.gate.set()

        assert len({each.result(LIMIT) for each in asked}) == 1
    assert far.fetched == ["a"]


def test_a_download_that_fails_leaves_nothing_behind(tmp_path: Path, far: Far) -> None:
    disk, far.fails = disk_in(tmp_path), True

    with pytest.raises(ListingError, match="cut off"):
        use(disk, far, "a")

    assert sorted(path.name for path in disk.folder.iterdir()) == ["room"]
    far.fails = False
    assert use(disk, far, "a").is_dir()


def test_what_a_killed_download_left_is_removed(tmp_path: Path, far: Far) -> None:
    disk = disk_in(tmp_path)
    part = disk.folder / "a.b-1-0123.part"
    part.mkdir(parents=True)
    (part / "half").write_text("")

    disk.tidy()

    assert list(disk.folder.iterdir()) == []


def test_a_download_that_is_under_way_is_left_alone(tmp_path: Path) -> None:
    disk = disk_in(tmp_path)
    part = disk.folder / "a-1-0123.part"
    part.mkdir(parents=True)

    with Lock.alone(disk.folder / "a-1-0123.lock"):
        disk.tidy()
        assert part.is_dir()


def test_a_download_begins_anew_where_another_was_killed(
    tmp_path: Path, far: Far
) -> None:
    disk, wanted = disk_in(tmp_path), version("a")
    part = disk.folder / f"a-1-{wanted.fingerprint}.part"
    part.mkdir(parents=True)
    (part / "half").write_text("")

    path = use(disk, far, "a")

    assert [file.name for file in path.iterdir()] == ["a"]


def test_the_least_recently_used_goes_by_number(tmp_path: Path, far: Far) -> None:
    gone: list[str] = []
    disk = Disk(tmp_path / "kept", Limits(2), gone.append)

    for name in "abac":
        use(disk, far, name)

    assert names(disk) == ["a", "c"]
    assert [name[0] for name in gone] == ["b"]
    assert sorted(path.name[:2] for path in disk.folder.iterdir()) == [
        *("a-", "a-", "c-", "c-"),
        "ro",
    ]


def test_the_least_recently_used_go_by_bytes(tmp_path: Path, far: Far) -> None:
    disk = disk_in(tmp_path, size=10)

    for name, size in (("a", 4), ("b", 4), ("c", 9)):
        use(disk, far, name, size)

    assert names(disk) == ["c"]
    assert list(disk.sizes().values()) == [9]


def test_what_is_in_use_stays(tmp_path: Path, far: Far) -> None:
    disk = disk_in(tmp_path, 1)
    held = disk.keep(version("a"), far)

    use(disk_in(tmp_path, 1), far, "b")
    assert names(disk) == ["a", "b"]
    held.release()
    use(disk, far, "c")

    assert names(disk) == ["c"]


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    disk = disk_in(tmp_path)
    disk.tidy()

    assert disk.sizes() == {}
