"""This very package as a wheel: pods run the server that the user has installed.

Nothing has to be published for that, and an installation from a checkout works as one
from an index does. The same code gives the same bytes on machines with the same zlib;
its name is a hash of the content.
"""

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from cortex_sdk.kubernetes.packages.installed import OURS
from cortex_stacks.args import Blob

_PACKAGES = ("cortex_sdk", "cortex_server")
_CACHES = ("__pycache__",)
_EPOCH = (1980, 1, 1, 0, 0, 0)
_FILE = 0o644 << 16
_WHEEL = b"""\
Wheel-Version: 1.0
Generator: cortex-sdk
Root-Is-Purelib: true
Tag: py3-none-any
"""
_COMMANDS = b"""\
[console_scripts]
cortex = cortex_sdk.cli:main
"""


def wheel() -> Blob:
    """The wheel; it requires what the base installation does, and has no extras."""
    distribution = metadata.distribution(OURS)
    stem = f"cortex_sdk-{distribution.version}"
    members = dict(_members(distribution, f"{stem}.dist-info"))
    members[f"{stem}.dist-info/RECORD"] = _record(members, f"{stem}.dist-info/RECORD")
    return Blob(
        name=f"{stem}-py3-none-any.whl", digest=_digest(members), data=_zip(members)
    )


def _members(
    distribution: metadata.Distribution, info: str
) -> Iterator[tuple[str, bytes]]:
    for package in _PACKAGES:
        root = _folder(package)
        for path in sorted(root.rglob("*")):
            if path.is_file() and not set(_CACHES) & set(path.parts):
                inside = path.relative_to(root).as_posix()
                yield f"{package}/{inside}", path.read_bytes()
    yield f"{info}/METADATA", _metadata(distribution)
    yield f"{info}/WHEEL", _WHEEL
    yield f"{info}/entry_points.txt", _COMMANDS


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:  # they are installed together
        msg = f"the package {package} is not installed"
        raise ModuleNotFoundError(msg)
    return Path(spec.origin).parent


def _metadata(distribution: metadata.Distribution) -> bytes:
    fields = [
        "Metadata-Version: 2.1",
        f"Name: {OURS}",
        f"Version: {distribution.version}",
        f"Requires-Python: {distribution.metadata['Requires-Python']}",
        *(
            f"Requires-Dist: {line}"
            for line in distribution.requires or ()
            if "extra ==" not in line
        ),
    ]
    return ("\n".join(fields) + "\n").encode()


def _record(members: dict[str, bytes], own: str) -> bytes:
    lines = [
        f"{name},sha256={_hash(data)},{len(data)}" for name, data in members.items()
    ]
    return ("\n".join([*lines, f"{own},,"]) + "\n").encode()


def _hash(data: bytes) -> str:
    digest = hashlib.sha256(data).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _digest(members: dict[str, bytes]) -> str:
    """sha256 of names and contents, which no compressor has a part in."""
    found = hashlib.sha256()
    for name, data in members.items():
        found.update(f"{len(name)} {name} {len(data)} ".encode())
        found.update(data)
    return found.hexdigest()


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _FILE
            archive.writestr(entry, data)
    return buffer.getvalue()
