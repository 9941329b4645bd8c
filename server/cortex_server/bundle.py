"""Unpacking the archive of a project's files."""

import hashlib
import lzma
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath

_BLOCK = 1 << 20
_PLAIN, _EXECUTABLE = 0o644, 0o755
_BROKEN = (tarfile.TarError, EOFError, ValueError, zlib.error, lzma.LZMAError)


class BundleError(Exception):
    """The archive is not what the manifest promises, or does not stay in its place."""


def unpack(archive: Path, digest: str, root: Path) -> None:
    """Put the files of an archive under `root`, whole or not at all.

    A folder that exists is taken for the result of an earlier call: it was put in
    place by one rename.

    Args:
        archive: Uncompressed or gzipped tar file.
        digest: sha256 of the uncompressed archive, in hex.
        root: Folder to make; replicas of the same bundle share it.

    Raises:
        BundleError: The archive is another one, broken, or leaves its folder.
    """
    if root.is_dir():
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{root.name[:16]}-", dir=root.parent))
    try:
        _extract(archive, digest, work)
        work.chmod(_EXECUTABLE)
        _place(work, root)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _extract(archive: Path, digest: str, into: Path) -> None:
    try:
        with tarfile.open(archive, "r:*") as tar:
            stream = tar.fileobj
            if _sha256(stream) != digest:
                msg = f"{archive} is not the bundle {digest[:12]} of the manifest"
                raise BundleError(msg)
            stream.seek(0)
            for member in tar:
                _write(tar, member, into)
    except _BROKEN as error:
        msg = f"{archive} cannot be unpacked: {error}"
        raise BundleError(msg) from error


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    """Write one file or folder; a bundle holds nothing else, and nothing outside."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        msg = f"the bundle holds {member.name!r}, which leads out of it"
        raise BundleError(msg)
    path = into / name
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        msg = f"the bundle holds {member.name!r}, which is neither file nor folder"
        raise BundleError(msg)
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("wb") as file:
        shutil.copyfileobj(content, file, _BLOCK)
    path.chmod(_EXECUTABLE if member.mode & 0o100 else _PLAIN)


def _sha256(stream: object) -> str:
    stream.seek(0)  # type: ignore[attr-defined]  # tarfile types its stream loosely
    digest = hashlib.sha256()
    while block := stream.read(_BLOCK):  # type: ignore[attr-defined]  # same
        digest.update(block)
    return digest.hexdigest()


def _place(work: Path, root: Path) -> None:
    try:
        work.rename(root)
    except OSError:
        if not root.is_dir():  # else another replica was faster
            raise
