import hashlib
import io
import os
import tarfile
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_sdk.errors import InvalidSpecError, TargetError
from cortex_sdk.project import bundle
from cortex_sdk.project.bundle import pack
from cortex_sdk.project.files import ProjectFile


@pytest.fixture(autouse=True)
def _no_limit_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CORTEX_BUNDLE_LIMIT", raising=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "src").mkdir(parents=True)
    (root / "app.py").write_text("print('hello')\n")
    (root / "src" / "modèle.bin").write_bytes(bytes(range(256)) * 100)
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o700)
    return root


def refusal(root: Path) -> str:
    with pytest.raises(InvalidSpecError) as caught:
        pack(root)
    return str(caught.value)


def test_the_digest_is_the_hash_of_the_archive(project: Path, tmp_path: Path) -> None:
    bundle = pack(project)

    bundle.write(tmp_path / "bundle.tar")

    content = (tmp_path / "bundle.tar").read_bytes()
    assert bundle.digest == hashlib.sha256(content).hexdigest()


def test_the_archive_holds_names_content_and_the_executable_bit_only(
    project: Path, tmp_path: Path
) -> None:
    pack(project).write(tmp_path / "bundle.tar")

    with tarfile.open(tmp_path / "bundle.tar") as archive:
        members = archive.getmembers()
        content = [archive.extractfile(each).read() for each in members]  # type: ignore[union-attr]  # files only
    assert [(m.name, oct(m.mode)) for m in members] == [
        ("app.py", "0o644"),
        ("run.sh", "0o755"),
        ("src/modèle.bin", "0o644"),
    ]
    assert content[0] == b"print('hello')\n"
    assert content[2] == (project / "src" / "modèle.bin").read_bytes()
    for member in members:
        about = (member.mtime, member.uid, member.gid, member.uname, member.gname)
        assert about == (0, 0, 0, "", "")


def test_the_digest_is_the_same_on_every_machine_and_version(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1\n")
    (tmp_path / "é").mkdir()
    (tmp_path / "é" / ("long" * 40)).write_text("y")

    assert pack(tmp_path).digest == GOLDEN


GOLDEN = "f3fc60700cf5d14b08a0c72fb65c01629cdbdee90443537aab0a03d80cabe8cb"


def test_the_digest_depends_on_nothing_but_names_content_and_executable_bit(
    project: Path, tmp_path: Path
) -> None:
    other = tmp_path / "elsewhere" / "other"
    (other / "src").mkdir(parents=True)
    for name in ("src/modèle.bin", "run.sh", "app.py"):
        (other / name).write_bytes((project / name).read_bytes())
        os.utime(other / name, (1, 1))
    (other / "run.sh").chmod(0o755)
    (other / "app.py").chmod(0o600)
    (other / "empty").mkdir()

    assert pack(other).digest == pack(project).digest


@pytest.mark.parametrize("change", ["content", "name", "executable", "added"])
def test_the_digest_changes_with_what_a_replica_could_notice(
    project: Path, change: str
) -> None:
    before = pack(project).digest
    match change:
        case "content":
            (project / "app.py").write_text("print('hallo')\n")
        case "name":
            (project / "app.py").rename(project / "main.py")
        case "executable":
            (project / "app.py").chmod(0o755)
        case "added":
            (project / "empty.txt").touch()

    assert pack(project).digest != before


@given(
    st.dictionaries(
        st.text("abcé漢 .-", min_size=1, max_size=120)
        .map(lambda name: f"n{name}n")
        .filter(lambda name: len(name.encode()) < 250),
        st.binary(max_size=2000),
        max_size=8,
    )
)
def test_what_is_packed_is_what_is_unpacked(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "project")
        root.mkdir()
        for name, content in files.items():
            (root / name).write_bytes(content)
        archive = Path(folder, "bundle.tar")

        bundle = pack(root)
        bundle.write(archive)

        with tarfile.open(archive) as tar:
            found = {
                member.name: tar.extractfile(member).read()  # type: ignore[union-attr]  # files only
                for member in tar
            }
        assert found == files
        assert set(bundle.files) == set(files)
        assert bundle.size == sum(map(len, files.values()))


def test_an_empty_project_is_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()

    bundle = pack(tmp_path / "project")
    bundle.write(tmp_path / "bundle.tar")

    assert bundle.files == ()
    with tarfile.open(tmp_path / "bundle.tar") as archive:
        assert archive.getnames() == []


def test_content_is_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large").write_bytes(bytes(5_000_000))
    largest = 0
    write = bundle._Sink.write

    def watch(sink: bundle._Sink, data: bytes) -> int:
        nonlocal largest
        largest = max(largest, len(data))
        return write(sink, data)

    monkeypatch.setattr(bundle._Sink, "write", watch)
    pack(tmp_path)

    assert 0 < largest < 1_000_000


def sparse(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.truncate(size)


def test_a_project_over_the_limit_is_refused_without_being_read(tmp_path: Path) -> None:
    for number in range(7):
        sparse(tmp_path / f"part{number}.bin", (number + 1) * 1024**3)

    began = time.perf_counter()
    message = refusal(tmp_path)

    assert time.perf_counter() - began < 5  # reading 28 GiB takes longer
    assert message == (
        f"the project `{tmp_path}` has 28Gi, the limit is 512Mi; list what is not"
        " needed in `.cortexignore`, or set CORTEX_BUNDLE_LIMIT (at most 1Gi); the"
        " largest files are `part6.bin` (7Gi), `part5.bin` (6Gi), `part4.bin` (5Gi),"
        " `part3.bin` (4Gi), `part2.bin` (3Gi)"
    )


@pytest.mark.parametrize(("limit", "size"), [("2Mi", 2 * 1024**2), ("5000", 5000)])
def test_the_limit_is_a_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, size: int
) -> None:
    monkeypatch.setenv("CORTEX_BUNDLE_LIMIT", limit)
    sparse(tmp_path / "exact", size)
    assert pack(tmp_path).size == size

    sparse(tmp_path / "more", 1)

    assert "the limit is" in refusal(tmp_path)


@pytest.mark.parametrize("limit", ["2Gi", "1025Mi", "much", "-1", "0", "1 Gi"])
def test_a_wrong_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setenv("CORTEX_BUNDLE_LIMIT", limit)

    assert refusal(tmp_path) == (
        f'CORTEX_BUNDLE_LIMIT must be a size up to 1Gi such as "800Mi", got {limit!r}'
    )


def test_a_file_that_cannot_be_read_is_named(unprivileged: Path) -> None:
    (unprivileged / "app.py").touch(0)

    assert refusal(unprivileged) == (
        "cannot read `app.py` of the project: permission denied; make it readable, or"
        " list it in `.cortexignore`"
    )


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def shrink(path: Path) -> None:
    os.truncate(path, 10)


def rewrite(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[::-1])


def become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def become_a_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


CHANGES = [grow, shrink, rewrite, become_a_pipe, become_a_link, Path.unlink]


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_between_listing_and_writing_is_named(
    project: Path, tmp_path: Path, change: object
) -> None:
    bundle = pack(project)
    change(project / "src" / "modèle.bin")  # type: ignore[operator]  # a function

    with pytest.raises(InvalidSpecError, match=r"`src/modèle.bin`"):
        bundle.write(tmp_path / "bundle.tar")

    assert [path.name for path in tmp_path.iterdir()] == ["project"]


def test_a_change_that_hides_itself_is_no_broken_archive(
    project: Path, tmp_path: Path
) -> None:
    bundle = pack(project)
    before = (project / "app.py").stat()
    (project / "app.py").write_text("print('hullo')\n")
    os.utime(project / "app.py", ns=(before.st_atime_ns, before.st_mtime_ns))

    with pytest.raises(InvalidSpecError, match="the project changed while it was"):
        bundle.write(tmp_path / "bundle.tar")

    assert [path.name for path in tmp_path.iterdir()] == ["project"]


@pytest.mark.parametrize("change", [grow, shrink])
def test_a_file_that_changes_while_it_is_read_is_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, change: object
) -> None:
    header = bundle._header

    def change_first(file: ProjectFile) -> tarfile.TarInfo:
        if file.name == "src/modèle.bin":  # it is open by now
            change(file.path)  # type: ignore[operator]  # a function
        return header(file)

    monkeypatch.setattr(bundle, "_header", change_first)

    assert refusal(project) == (
        "`src/modèle.bin` changed while it was packed; deploy again when nothing"
        " writes to it, or list it in `.cortexignore`"
    )


def test_writing_again_replaces_the_archive(project: Path, tmp_path: Path) -> None:
    path = tmp_path / "bundle.tar"
    path.write_text("half an archive")
    bundle = pack(project)

    bundle.write(path)

    assert hashlib.sha256(path.read_bytes()).hexdigest() == bundle.digest


def test_a_place_that_cannot_be_written_to_is_named(
    project: Path, tmp_path: Path
) -> None:
    with pytest.raises(TargetError, match=r"cannot write the bundle `.*gone/b.tar`"):
        pack(project).write(tmp_path / "gone" / "b.tar")


def test_a_full_disk_leaves_nothing_behind(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    packed = pack(project)
    monkeypatch.setattr(bundle._Sink, "write", fail)

    with pytest.raises(TargetError, match="No space left on device"):
        packed.write(tmp_path / "bundle.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["project"]


def test_two_writers_of_one_bundle_do_not_meet(project: Path, tmp_path: Path) -> None:
    bundle, path = pack(project), tmp_path / "bundle.tar"
    with path.open("wb") as other:  # another process, half done
        other.write(b"x")

        bundle.write(path)

    assert io.BytesIO(path.read_bytes()).getvalue().startswith(b"app.py")
