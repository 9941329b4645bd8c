import os
import sys
from pathlib import Path

import fsspec
import pytest

from cortex_server.worker.models.places import LocalPlace, RemotePlace, place_of
from cortex_server.worker.models.versions import (
    File,
    ListingError,
    Version,
    models_of,
    versions_of,
)


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


@pytest.fixture
def store() -> str:
    """The URL of an empty folder in memory."""
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]
    return "memory://bucket/models"


def pipe(store: str, **files: bytes) -> None:
    for name, content in files.items():
        path = f"{store}/{name.replace('__', '/')}"
        fsspec.filesystem("memory").pipe(path, content)


def names(place: LocalPlace | RemotePlace) -> list[str]:
    return sorted(file.name for file in place.look())


def test_a_folder_is_looked_at_in_depth(tmp_path: Path) -> None:
    write(tmp_path, "iris/1/a", "iris/2/b/c", "rose.onnx")

    assert names(LocalPlace(str(tmp_path))) == ["iris/1/a", "iris/2/b/c", "rose.onnx"]


def test_a_file_is_a_place_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, "iris.onnx")

    (file,) = LocalPlace(str(tmp_path / "iris.onnx")).look()

    assert (file.name, file.size) == ("", len("iris.onnx"))


def test_a_relative_path_is_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert LocalPlace("./models/").address == str(tmp_path / "models")


def test_links_are_followed_and_loops_are_not(tmp_path: Path) -> None:
    write(tmp_path / "there", "a")
    (tmp_path / "m").mkdir()
    (tmp_path / "m/link").symlink_to(tmp_path / "there")
    (tmp_path / "m/loop").symlink_to(tmp_path / "m")
    (tmp_path / "m/broken").symlink_to(tmp_path / "nowhere")

    assert names(LocalPlace(str(tmp_path / "m"))) == ["link/a"]


def test_a_mark_differs_when_a_file_is_written_again(tmp_path: Path) -> None:
    write(tmp_path, "a")
    place = LocalPlace(str(tmp_path))
    (before,) = place.look()

    os.utime(tmp_path / "a", ns=(1, 1))

    assert place.look()[0].mark != before.mark


def test_a_path_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ListingError, match="nothing: no such file or directory"):
        LocalPlace(str(tmp_path / "nothing")).look()


def test_files_of_this_machine_are_read_where_they_are(tmp_path: Path) -> None:
    write(tmp_path, "3/a")
    place = place_of(f"file://{tmp_path}")

    version = versions_of("iris", place.address, place.look())[3]

    assert place.local(version) == tmp_path / "3"


def test_a_store_is_looked_at_in_depth(store: str) -> None:
    pipe(store, iris__1__a=b"1", iris__2__b__c=b"22", rose=b"333")

    found = {file.name: file.size for file in RemotePlace(store).look()}

    assert found == {"iris/1/a": 1, "iris/2/b/c": 2, "rose": 3}


def test_a_mark_in_a_store_differs_when_a_file_is_written_again(store: str) -> None:
    place = RemotePlace(store)
    pipe(store, a=b"1")
    (before,) = place.look()

    pipe(store, a=b"2")

    assert place.look()[0].mark != before.mark


def test_an_empty_store_is_an_error_and_no_reason_to_forget(store: str) -> None:
    with pytest.raises(ListingError, match="there is nothing at memory://bucket/m"):
        RemotePlace(store).look()


def test_a_folder_is_fetched_whole(store: str, tmp_path: Path) -> None:
    pipe(store, iris__1__a=b"1", iris__1__b__c=b"22")
    place = RemotePlace(f"{store}/")
    version = models_of(place.address, place.look())["iris"][1]

    path = place.fetch(version, tmp_path)

    assert path == tmp_path
    assert place.local(version) is None
    assert (tmp_path / "a").read_bytes() == b"1"
    assert (tmp_path / "b/c").read_bytes() == b"22"


@pytest.mark.parametrize("name", ["iris.onnx", "models/iris.onnx"])
def test_a_file_is_fetched_under_its_name(
    store: str, name: str, tmp_path: Path
) -> None:
    fsspec.filesystem("memory").pipe(f"{store}/{name}", b"1")
    place = RemotePlace(f"{store}/{name}")

    path = place.fetch(versions_of("m", place.address, place.look())[1], tmp_path)

    assert path == tmp_path / "iris.onnx"
    assert path.read_bytes() == b"1"


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "a//b", "a/./b", "..\\evil", "a\0b"]
)
def test_nothing_is_written_outside_of_the_folder(
    store: str, name: str, tmp_path: Path
) -> None:
    version = Version("iris", 1, store, (File(name, 1, ""),))
    folder = tmp_path / "deep" / "folder"
    folder.mkdir(parents=True)

    with pytest.raises(ListingError, match="which leads out of it"):
        RemotePlace(store).fetch(version, folder)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_that_came_in_part_is_refused(store: str, tmp_path: Path) -> None:
    pipe(store, a=b"123")
    version = Version("iris", 1, store, (File("a", 4, ""),))

    with pytest.raises(ListingError, match="a has 4 bytes, but 3 came"):
        RemotePlace(store).fetch(version, tmp_path)


@pytest.mark.parametrize(
    ("url", "package"),
    [("s3://b/m", "s3fs"), ("gs://b/m", "gcsfs"), ("hf://org/m", "huggingface_hub")],
)
def test_the_package_that_a_url_needs_is_named(
    url: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ListingError) as caught:
        place_of(url)

    assert str(caught.value) == (
        f"{url} needs the package `{package}`; install it, and name it in"
        " `requirements`"
    )


def test_reading_the_web_needs_a_package_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)

    with pytest.raises(ListingError, match="needs the package `aiohttp`"):
        place_of("https://example.com/models")


def test_an_unknown_kind_of_url_is_refused() -> None:
    with pytest.raises(ListingError, match="nothing is known that reads zz:// URLs"):
        place_of("zz://bucket/models")
