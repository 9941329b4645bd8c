"""Where the files of a project wait for the pods: in the cluster, or in a store.

A project that is small once compressed travels as a ConfigMap. A larger one is put
into a store, at an address made of its hash, from where pods fetch it.
"""

import gzip
import io
import posixpath
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from cortex_sdk.declaration.units import size_text
from cortex_sdk.errors import InvalidSpecError, MissingExtraError, TargetError
from cortex_sdk.project.bundle import Bundle
from cortex_sdk.project.files import IGNORE_FILE
from cortex_stacks.args import Blob

LARGEST_CONFIG_MAP = 1000 * 1024
"""Bytes of an archive that a ConfigMap takes: Kubernetes allows 1 MiB for all values
of one, and etcd 1.5 MiB for the object with its metadata."""

_ARCHIVE = "bundle.tar.gz"
_BLOCK = 1 << 20
# A pod cannot read them, or nothing can be written to them.
_NOT_SHARED = ("file", "local", "memory", "data")
_READ_ONLY = ("http", "https", "github", "git", "zip", "tar")
# They have no folders; to make one would make a bucket.
_OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "oci")


def checked(storage: str) -> str:
    """A URL of a store that the user's machine can write and pods can read.

    Raises:
        ValueError: It is none; the message fits after the name of the setting.
    """
    protocol, found, rest = storage.partition("://")
    if not found or not rest or any(mark in storage for mark in "?#*\\ "):
        msg = 'must be a URL such as "s3://bucket/folder"'
        raise ValueError(msg)
    if protocol in _NOT_SHARED:
        msg = f"must be a store that pods can read too, which {protocol}:// is not"
        raise ValueError(msg)
    if protocol in _READ_ONLY or "::" in storage:
        msg = "must be a store that can be written, such as s3:// or gs://"
        raise ValueError(msg)
    if urlsplit(storage).password is not None:
        msg = "must hold no password; pods get credentials by `secrets`"
        raise ValueError(msg)
    return storage.rstrip("/")


def driver(storage: str) -> str | None:
    """The package that reads this kind of URL, such as "s3fs"; pods need it too.

    Raises:
        InvalidSpecError: Nothing is known that reads it.
    """
    from fsspec.registry import known_implementations  # noqa: PLC0415  # seldom needed

    protocol = storage.partition("://")[0]
    known = known_implementations.get(protocol)
    if known is None:
        msg = f"storage: nothing is known that reads {protocol}:// URLs"
        raise InvalidSpecError(msg)
    package: str = known["class"].partition(".")[0]
    return None if package == "fsspec" else package


def blob_of(bundle: Bundle, storage: str | None) -> Blob:
    """How the files of a project reach the pods; nothing is written.

    Args:
        bundle: The files.
        storage: URL of a store for archives that are too large for a ConfigMap; they
            are there once `put` was called.

    Raises:
        InvalidSpecError: The archive is too large and there is no store, or a file
            changed since the project was packed.
    """
    data = _small_archive(bundle)
    if data is not None:
        return Blob(name=_ARCHIVE, digest=bundle.digest, data=data)
    if storage is None:
        raise _too_large(bundle)
    return Blob(name=_ARCHIVE, digest=bundle.digest, url=url_of(bundle, storage))


def url_of(bundle: Bundle, storage: str) -> str:
    """Where an archive is in a store: the same files have the same address."""
    return f"{storage.rstrip('/')}/bundles/{bundle.digest}.tar.gz"


def put(bundle: Bundle, storage: str) -> str:
    """Write the archive to a store, unless it is there; returns its URL.

    Raises:
        MissingExtraError: The package for this kind of store is not installed.
        TargetError: The store cannot be written; the message says why.
        InvalidSpecError: A file changed since the project was packed.
    """
    url = url_of(bundle, storage)
    with _in_words(storage):
        store, path = _opened(url)
        if not store.exists(path):
            with _archive(bundle) as archive:
                _upload(archive, store, path)
    return url


def _upload(archive: BinaryIO, store: Any, path: str) -> None:  # noqa: ANN401  # untyped
    size = archive.seek(0, io.SEEK_END)
    archive.seek(0)
    if _protocol(store) not in _OBJECT_STORES:
        store.makedirs(posixpath.dirname(path), exist_ok=True)
    # What is cut off by an error is never seen under the name.
    with store.transaction, store.open(path, "wb") as file:
        shutil.copyfileobj(archive, file, _BLOCK)
    store.invalidate_cache()
    if (came := store.size(path)) != size:
        store.rm(path)
        msg = f"{path} has {came} bytes after {size} were written; deploy again"
        raise TargetError(msg)


def _opened(url: str) -> tuple[Any, str]:
    import fsspec  # noqa: PLC0415  # seldom needed

    try:
        # A store that is opened anew sees credentials, and files, as they are now.
        store, path = fsspec.core.url_to_fs(url, skip_instance_cache=True)
    except ImportError:
        package = driver(url)
        msg = f"{url.partition('://')[0]}:// URLs need the package `{package}`"
        raise MissingExtraError(f"{msg}; run `pip install {package}`") from None
    except ValueError:
        driver(url)  # says so where the kind of URL is unknown
        raise
    return store, path


def _protocol(store: Any) -> str:  # noqa: ANN401  # untyped
    kinds = store.protocol
    return kinds if isinstance(kinds, str) else str(kinds[0])


@contextmanager
def _in_words(storage: str) -> Iterator[None]:
    """Each kind of store has errors of its own; turn them into one sentence."""
    try:
        yield
    except (InvalidSpecError, MissingExtraError, TargetError):
        raise
    except Exception as error:
        raise TargetError(f"storage: {_said(error, storage)}") from error


def _said(error: Exception, storage: str) -> str:
    kind, text = type(error).__name__, str(error).partition("\n")[0]
    if "Credential" in kind:
        return (
            f"there are no credentials for {storage}; sign in as its own command line"
            " asks for, for S3 with AWS_PROFILE or AWS_ACCESS_KEY_ID"
        )
    if isinstance(error, FileNotFoundError):
        return f"{storage} does not exist; make the bucket, or name another one"
    if isinstance(error, PermissionError):
        return f"these credentials may not write to {storage}: {text}"
    return f"{storage} cannot be written: {kind}: {text}"


def _small_archive(bundle: Bundle) -> bytes | None:
    """The archive, None where a ConfigMap does not take it."""
    with _archive(bundle, LARGEST_CONFIG_MAP) as archive:
        if archive.seek(0, io.SEEK_END) > LARGEST_CONFIG_MAP:
            return None
        archive.seek(0)
        return archive.read()


@contextmanager
def _archive(bundle: Bundle, limit: int | None = None) -> Iterator[BinaryIO]:
    """The compressed archive in a temporary file, cut off some way past a limit.

    The same files give the same bytes, as far as the same zlib compresses them.
    """
    with tempfile.TemporaryDirectory(prefix="cortex-") as folder:
        plain = Path(folder, "bundle.tar")
        bundle.write(plain)
        with tempfile.TemporaryFile(dir=folder) as archive:
            packer = gzip.GzipFile("", "wb", 6, archive, mtime=0)
            with plain.open("rb") as content, packer:
                while block := content.read(_BLOCK):
                    packer.write(block)
                    if limit is not None and archive.tell() > limit:
                        break
            yield archive


def _too_large(bundle: Bundle) -> InvalidSpecError:
    largest = max(bundle.contents, key=lambda file: file.size)
    limit = size_text(LARGEST_CONFIG_MAP)
    return InvalidSpecError(
        f"the project has more than {limit} when compressed, which is what a cluster"
        f" stores itself (the largest file is `{largest.name}`,"
        f" {size_text(largest.size)}); set `storage` of the target to a URL such as"
        ' "s3://bucket/folder", load large files in the pod with'
        f" `models=Models(…)`, or list what is not needed in `{IGNORE_FILE}`"
    )
