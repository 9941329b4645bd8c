import gzip
import hashlib
import json
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from cortex_server import fetch as module
from cortex_server.fetch import FetchError, fetch, main

CONTENT = b"an archive, as far as this is concerned"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    """A store of fsspec's own, which lives in this process."""
    fs = fsspec.filesystem("memory")
    yield fs
    fs.store.clear()


@pytest.fixture
def url(tmp_path: Path) -> str:
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    return source.as_uri()


def test_the_file_is_there_afterwards(url: str, tmp_path: Path) -> None:
    fetch(url, DIGEST, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT


def test_any_kind_of_store_will_do(
    memory: fsspec.AbstractFileSystem, tmp_path: Path
) -> None:
    memory.pipe("/bucket/file", CONTENT)

    fetch("memory://bucket/file", DIGEST, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_gzipped_file_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    source = tmp_path / "source.tar.gz"
    source.write_bytes(gzip.compress(CONTENT))

    fetch(source.as_uri(), DIGEST, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    "content",
    [b"another", gzip.compress(CONTENT)[:-9], gzip.compress(b"another")],
    ids=["plain", "cut off", "gzip"],
)
def test_another_file_is_refused_and_leaves_nothing(
    content: bytes, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.write_bytes(content)

    with pytest.raises(
        FetchError, match=f"is not the file with the hash {DIGEST[:12]}"
    ):
        fetch(source.as_uri(), DIGEST, tmp_path / "file")

    assert list(tmp_path.iterdir()) == [source]


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)

    fetch("memory://bucket/not-there", DIGEST, tmp_path / "file")


def test_what_is_there_and_wrong_is_replaced(url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT[:-1])

    fetch(url, DIGEST, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == CONTENT


def test_memory_stays_the_same_however_large_the_file_is(tmp_path: Path) -> None:
    size, digest = 64 << 20, hashlib.sha256(bytes(64 << 20)).hexdigest()
    source = tmp_path / "source"
    with source.open("wb") as file:
        file.truncate(size)
    fetch(source.as_uri(), digest, tmp_path / "first")  # imports what it needs
    tracemalloc.start()

    fetch(source.as_uri(), digest, tmp_path / "file")

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < size / 8


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("memory://bucket/not-there", "there is nothing at memory://bucket/not-there"),
        ("nonsense://x", "nothing is known that reads nonsense:// URLs"),
        ("gs://bucket/x", "gs://bucket/x needs the package `gcsfs`; install it"),
    ],
)
def test_a_file_that_cannot_be_had_is_one_line(
    address: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([address, DIGEST, str(tmp_path / "file")])

    errors = capsys.readouterr().err
    assert code == 1
    assert said in errors
    assert len(errors.splitlines()) == 1


def test_an_error_of_the_store_is_one_line(
    url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Store:
        def get_file(self, *_: str) -> None:
            msg = "no credentials\nand a lot about it"
            raise RuntimeError(msg)

    monkeypatch.setattr(module, "file_system", lambda url: (Store(), url))

    assert main([url, DIGEST, str(tmp_path / "file")]) == 1
    said = capsys.readouterr().err
    assert said == f"{url} cannot be read: RuntimeError: no credentials\n"


def test_it_is_done_with_exit_code_0_in_a_folder_that_it_makes(
    url: str, tmp_path: Path
) -> None:
    assert main([url, DIGEST, str(tmp_path / "new" / "file")]) == 0
    assert (tmp_path / "new" / "file").read_bytes() == CONTENT


def test_a_wrong_command_line_has_exit_code_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["memory://bucket/x"])

    assert ended.value.code == 2


def test_the_store_sees_the_variables_of_the_replica(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"A": "shell", "B": "shell", "C": "shell"})
    manifest = {
        "name": "iris",
        "bundle": DIGEST,
        "predictor": {"kind": "module", "module": "app", "qualname": "Iris"},
        "env": {"A": "env", "B": "env"},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "secrets.json").write_text(json.dumps({"A": "secret"}))

    code = main(
        [
            *(url, DIGEST, str(tmp_path / "file")),
            *("--manifest", str(tmp_path / "manifest.json")),
            *("--secrets", str(tmp_path / "secrets.json")),
        ]
    )

    assert code == 0
    assert os.environ == {"A": "secret", "B": "env", "C": "shell"}


def test_an_api_without_secrets_has_no_such_file(url: str, tmp_path: Path) -> None:
    arguments = [url, DIGEST, str(tmp_path / "file")]

    assert main([*arguments, "--secrets", str(tmp_path / "secrets.json")]) == 0
