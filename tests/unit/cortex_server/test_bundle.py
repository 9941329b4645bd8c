import bz2
import gzip
import hashlib
import io
import lzma
import stat
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cortex_server.bundle import BundleError, unpack

_PARTS = st.text("ab.-_ \u00fc", min_size=1, max_size=8).filter(
    lambda part: part.strip(". ") != ""
)
_FILES = st.dictionaries(
    st.lists(_PARTS, min_size=1, max_size=4).map("/".join),
    st.binary(max_size=2000),
    max_size=8,
)


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def member(
    name: str, kind: bytes = tarfile.REGTYPE, **fields: object
) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = kind
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def files(**contents: bytes) -> bytes:
    return archive(*((member(name), content) for name, content in contents.items()))


def unpacked(folder: Path, tar: bytes, stored: bytes | None = None) -> Path:
    """Unpack an archive, as it is or as it was stored, under `folder`/root."""
    path = folder / "bundle.tar"
    path.write_bytes(tar if stored is None else stored)
    unpack(path, hashlib.sha256(tar).hexdigest(), folder / "root")
    return folder / "root"


def check_nothing_is_left(folder: Path) -> None:
    assert [path.name for path in folder.iterdir()] == ["bundle.tar"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(contents=_FILES)
def test_every_file_comes_out_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory, contents: dict[str, bytes]
) -> None:
    folders = {name.rpartition("/")[0] for name in contents}
    contents = {
        name: content
        for name, content in contents.items()
        if not any(f"{folder}/".startswith(f"{name}/") for folder in folders)
    }
    tar = archive(*((member(name), content) for name, content in contents.items()))

    root = unpacked(tmp_path_factory.mktemp("b"), tar)

    found = {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }
    assert found == contents


@pytest.mark.parametrize("compress", [gzip.compress, bytes], ids=["gzip", "plain"])
def test_the_digest_is_that_of_the_uncompressed_archive(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    tar = files(a=b"1")

    root = unpacked(tmp_path, tar, compress(tar))

    assert (root / "a").read_bytes() == b"1"


def test_folders_and_the_bit_to_execute_are_kept_and_nothing_else(
    tmp_path: Path,
) -> None:
    tar = archive(
        (member("empty", tarfile.DIRTYPE, mode=0o777), b""),
        (member("run.sh", mode=0o4777), b""),
        (member("data", mode=0o600), b""),
    )

    root = unpacked(tmp_path, tar)

    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in root.iterdir()}
    assert (modes["run.sh"], modes["data"]) == (0o755, 0o644)
    assert (root / "empty").is_dir()
    assert stat.S_IMODE(root.stat().st_mode) == 0o755


@pytest.mark.parametrize(
    "name",
    ["/etc/x", "../x", "a/../../x", "a/..", "..", "a\\..\\x", "//x", "./../x"],
)
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError, match="which leads out of it"):
        unpacked(tmp_path, archive((member(name), b"evil")))

    check_nothing_is_left(tmp_path)


@pytest.mark.parametrize(
    "kind",
    [
        *(tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE),
        *(tarfile.FIFOTYPE,),
    ],
)
@pytest.mark.parametrize("target", ["/etc/passwd", "a", ".."])
def test_only_files_and_folders_are_taken(
    tmp_path: Path, kind: bytes, target: str
) -> None:
    tar = archive((member("a"), b"1"), (member("b", kind, linkname=target), b""))

    with pytest.raises(BundleError, match="'b', which is neither file nor folder"):
        unpacked(tmp_path, tar)

    check_nothing_is_left(tmp_path)


def test_another_archive_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not the bundle"):
        unpacked(tmp_path, files(a=b"1"), files(a=b"2"))

    check_nothing_is_left(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda tar: b"",
        lambda tar: b"no archive",
        lambda tar: tar[:1000],
        lambda tar: gzip.compress(tar)[:-20],
        lambda tar: gzip.compress(tar)[:40] + b"\xff" * 100,
        lambda tar: gzip.compress(tar)[:90_000] + b"\xff" * 100_000,
        lambda tar: lzma.compress(tar)[:-30],
        lambda tar: bz2.compress(tar)[:-30],
    ],
)
def test_a_damaged_archive_is_refused(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    tar = files(a=Random(0).randbytes(200_000))

    with pytest.raises(BundleError):
        unpacked(tmp_path, tar, damage(tar))

    check_nothing_is_left(tmp_path)


def test_an_archive_that_ends_in_the_middle_is_refused_though_its_digest_fits(
    tmp_path: Path,
) -> None:
    with pytest.raises(BundleError, match="cannot be unpacked: unexpected end of data"):
        unpacked(tmp_path, files(a=b"x" * 5000)[:3000])

    check_nothing_is_left(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    tar=st.binary(max_size=100)
    | st.tuples(st.integers(0, 1500), st.binary(min_size=1, max_size=20)).map(
        lambda change: _changed(*change)
    )
)
def test_no_archive_gets_anything_out_of_its_folder_or_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, tar: bytes
) -> None:
    folder = tmp_path_factory.mktemp("b")

    try:
        unpacked(folder, tar)
    except (BundleError, OSError):
        check_nothing_is_left(folder)
    else:
        assert {path.name for path in folder.iterdir()} == {"bundle.tar", "root"}


def _changed(position: int, change: bytes) -> bytes:
    tar = archive((member("a/b"), b"1" * 600), (member("c", tarfile.DIRTYPE), b""))
    return tar[:position] + change + tar[position + len(change) :]


def test_a_folder_that_is_there_is_taken_as_it_is(tmp_path: Path) -> None:
    root = unpacked(tmp_path, files(a=b"1"))
    (root / "a").write_bytes(b"kept")

    unpacked(tmp_path, files(a=b"1"))

    assert (root / "a").read_bytes() == b"kept"


def test_many_may_unpack_the_same_archive_at_once(tmp_path: Path) -> None:
    tar = files(**{f"file-{number}": b"x" * 1000 for number in range(50)})
    (tmp_path / "bundle.tar").write_bytes(tar)
    digest = hashlib.sha256(tar).hexdigest()

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(unpack, tmp_path / "bundle.tar", digest, tmp_path / "root")

    assert len(list((tmp_path / "root").iterdir())) == 50
    assert {path.name for path in tmp_path.iterdir()} == {"bundle.tar", "root"}


def test_a_root_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "root").write_text("in the way")

    with pytest.raises(OSError, match="root"):
        unpacked(tmp_path, files(a=b"1"))

    assert {path.name for path in tmp_path.iterdir()} == {"bundle.tar", "root"}
