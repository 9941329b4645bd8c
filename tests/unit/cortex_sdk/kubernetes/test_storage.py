import gzip
import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import fsspec
import pytest

from cortex_sdk.errors import (
    CortexError,
    InvalidSpecError,
    MissingExtraError,
    TargetError,
)
from cortex_sdk.kubernetes import storage
from cortex_sdk.kubernetes.storage import blob_of, checked, driver, put
from cortex_sdk.project.bundle import Bundle, pack

STORE = "memory://bucket/cortex"


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    """A store of fsspec's own, which lives in this process."""
    fs = fsspec.filesystem("memory")
    yield fs
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]


@pytest.fixture
def small(tmp_path: Path) -> Bundle:
    return _project(tmp_path, b"print('hello')\n" * 1000)


@pytest.fixture
def large(tmp_path: Path) -> Bundle:
    """It cannot be compressed."""
    return _project(tmp_path, Random(1).randbytes(2 << 20))


def _project(folder: Path, content: bytes) -> Bundle:
    root = folder / "project"
    root.mkdir()
    (root / "app.py").write_text("")
    (root / "model.bin").write_bytes(content)
    return pack(root)


def test_a_small_project_travels_in_the_cluster(small: Bundle) -> None:
    blob = blob_of(small, None)

    assert blob.data is not None
    assert (blob.name, blob.digest, blob.url) == ("bundle.tar.gz", small.digest, None)
    assert hashlib.sha256(gzip.decompress(blob.data)).hexdigest() == small.digest


def test_a_small_project_does_so_too_where_there_is_a_store(small: Bundle) -> None:
    assert blob_of(small, STORE).url is None


def test_the_same_files_give_the_same_bytes(small: Bundle) -> None:
    assert blob_of(small, None) == blob_of(small, None)


def test_a_large_project_is_named_by_its_hash_and_not_written_yet(
    large: Bundle, memory: fsspec.AbstractFileSystem
) -> None:
    blob = blob_of(large, f"{STORE}/")

    assert blob.data is None
    assert blob.url == f"{STORE}/bundles/{large.digest}.tar.gz"
    assert not memory.exists(STORE)


def test_a_large_project_without_a_store_is_refused_with_the_choices(
    large: Bundle,
) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        blob_of(large, None)

    said = str(caught.value)
    assert said.startswith("the project has more than 1000Ki when compressed")
    assert "the largest file is `model.bin`, 2Mi" in said
    for choice in ("`storage`", "`models=Models(…)`", "`.cortexignore`"):
        assert choice in said


@pytest.mark.parametrize("over", [0, 1])
def test_a_config_map_holds_what_is_just_within_the_limit(
    small: Bundle, over: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = blob_of(small, None).data
    assert data is not None
    monkeypatch.setattr(storage, "LARGEST_CONFIG_MAP", len(data) - over)

    assert (blob_of(small, STORE).data is None) is bool(over)


def test_the_archive_is_at_its_address_afterwards(
    large: Bundle, memory: fsspec.AbstractFileSystem
) -> None:
    url = put(large, STORE)

    assert url == blob_of(large, STORE).url
    archive = gzip.decompress(memory.cat(url))
    assert hashlib.sha256(archive).hexdigest() == large.digest


def test_folders_of_a_file_system_are_made(large: Bundle, tmp_path: Path) -> None:
    put(large, f"file://{tmp_path}/new/store")

    [file] = (tmp_path / "new" / "store" / "bundles").iterdir()
    with tarfile.open(file) as archive:
        assert archive.getnames() == ["app.py", "model.bin"]


def test_what_is_there_is_not_written_again(
    large: Bundle, memory: fsspec.AbstractFileSystem
) -> None:
    url = put(large, STORE)
    memory.pipe(url, b"as it was")

    assert put(large, STORE) == url
    assert memory.cat(url) == b"as it was"


def test_a_project_that_changes_leaves_nothing(
    large: Bundle, memory: fsspec.AbstractFileSystem
) -> None:
    large.contents[0].path.write_text("changed")

    with pytest.raises(InvalidSpecError, match="changed while it was packed"):
        put(large, STORE)

    assert not memory.find(STORE)


def test_an_archive_that_arrives_incomplete_is_taken_away(
    large: Bundle, memory: fsspec.AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(memory), "size", lambda *_: 7)

    with pytest.raises(TargetError, match="has 7 bytes after"):
        put(large, STORE)

    assert not memory.find(STORE)


class NoCredentialsError(Exception):
    """Named as botocore's own."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoCredentialsError("Unable to locate"), "there are no credentials for memory"),
        (FileNotFoundError("NoSuchBucket"), f"{STORE} does not exist; make the bucket"),
        (PermissionError("403"), f"may not write to {STORE}: 403"),
        (OSError("slow\ndown"), f"{STORE} cannot be written: OSError: slow"),
    ],
)
def test_what_a_store_says_is_one_sentence(
    large: Bundle,
    memory: fsspec.AbstractFileSystem,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    said: str,
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(type(memory), "open", refuse)

    with pytest.raises(TargetError) as caught:
        put(large, STORE)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_package_is_named(large: Bundle) -> None:
    with pytest.raises(MissingExtraError, match="run `pip install gcsfs`"):
        put(large, "gs://bucket")


def test_an_unknown_kind_of_url_is_named(large: Bundle) -> None:
    with pytest.raises(CortexError, match="nothing is known that reads nonsense://"):
        put(large, "nonsense://bucket")


@pytest.mark.parametrize(
    ("url", "package"),
    [("s3://b", "s3fs"), ("gs://b", "gcsfs"), ("abfs://b", "adlfs"), (STORE, None)],
)
def test_the_package_that_reads_a_url(url: str, package: str | None) -> None:
    assert driver(url) == package


@pytest.mark.parametrize(
    "url", ["s3://bucket", "gs://bucket/folder", "abfs://box@account.example/a"]
)
def test_urls_of_stores_are_taken(url: str) -> None:
    assert checked(f"{url}/") == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("bucket", "must be a URL"),
        ("s3://", "must be a URL"),
        ("s3://bucket?x=1", "must be a URL"),
        ("file:///tmp", "pods can read too, which file:// is not"),
        ("memory://x", "pods can read too"),
        ("https://host/x", "can be written"),
        ("simplecache::s3://bucket", "can be written"),
        ("ftp://me:secret@host/x", "must hold no password"),
    ],
)
def test_other_urls_are_refused_without_repeating_them(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        checked(url)

    assert "secret@" not in str(caught.value)
