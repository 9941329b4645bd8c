"""`python -m cortex_server.fetch URL SHA256 FILE`: a file from a store, checked.

What a pod does before a replica starts, where the project is too large to travel with
the declaration. The file comes whole or not at all, is never held in memory, and is
not looked into. Exit codes: 0 it is there, 1 it is not and one line says why, 2 wrong
command line.
"""

import argparse
import gzip
import hashlib
import json
import os
import sys
import zlib
from pathlib import Path

from cortex_server.manifest import Manifest
from cortex_server.urls import UrlError, file_system, said

FAILED = 1
_GZIP = b"\x1f\x8b"


class FetchError(Exception):
    """The file cannot be had, or is another one; the message says why."""


def fetch(url: str, digest: str, path: Path) -> None:
    """Download a file, unless it is there already.

    Args:
        url: Where it is, of any kind that fsspec knows.
        digest: sha256 of the content in hex; of a gzipped file, of what it unpacks to,
            since compressors differ between machines.
        path: Where to put it; its folder exists.

    Raises:
        FetchError: It cannot be read, or is not the file of that hash.
    """
    if path.is_file() and _digest(path) == digest:
        return
    part = path.with_name(f".{path.name}.part")
    try:
        _download(url, part)
        if _digest(part) != digest:
            msg = f"{url} is not the file with the hash {digest[:12]}"
            raise FetchError(msg)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _download(url: str, path: Path) -> None:
    try:
        fs, source = file_system(url)
        fs.get_file(source, str(path))
    except UrlError as error:
        raise FetchError(str(error)) from None
    except FileNotFoundError:
        msg = f"there is nothing at {url}"
        raise FetchError(msg) from None
    except Exception as error:  # each kind of store has errors of its own
        msg = f"{url} cannot be read: {said(error)}"
        raise FetchError(msg) from error


def _digest(path: Path) -> str:
    """The hash of the content; "" where it was gzip, and is damaged."""
    with path.open("rb") as file:
        is_gzip = file.read(len(_GZIP)) == _GZIP
    try:
        with gzip.open(path) if is_gzip else path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cortex_server.fetch",
        description="Download a file and check that it is the right one.",
    )
    add = parser.add_argument
    add("url", metavar="URL", help="any kind that fsspec knows")
    add("digest", metavar="SHA256", help="of the content, without gzip")
    add("file", metavar="FILE", type=Path, help="where to put it")
    add("--manifest", type=Path, help="JSON: its `env` is set while fetching")
    add("--secrets", type=Path, help="JSON: more variables, such as credentials")
    return parser


def _set_variables(manifest: Path | None, secrets: Path | None) -> None:
    """A store is opened with what the replica itself will have in its environment."""
    if manifest:
        os.environ |= Manifest.read(manifest).env
    if secrets and secrets.exists():
        os.environ |= json.loads(secrets.read_bytes())


def main(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    given = _parser().parse_args(arguments)
    try:
        _set_variables(given.manifest, given.secrets)
        given.file.parent.mkdir(parents=True, exist_ok=True)
        fetch(given.url, given.digest, given.file)
    except (FetchError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
