"""The parts of one replica in a folder, for running it without a target.

A replica of `cortex serve` gets the same manifest and the same archive as one on a
target; only the key that hashes its secrets lives no longer than the run.
"""

import hashlib
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Self

import orjson
from packaging.requirements import InvalidRequirement, Requirement

from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.project.files import ENV_FILE, ProjectFile, project_files, version_of
from cortex_server.manifest import Manifest

if TYPE_CHECKING:
    from cortex_sdk.declaration.sync_api import SyncAPI

_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Parts:
    """One replica, ready to start."""

    folder: Path
    name: str
    endpoint: str
    revision: str
    project: Path
    """Folder that the files were taken from."""
    keys: str | None
    """File of the API keys, None where everybody may call."""
    fingerprint: str
    """Differs from `fingerprint(project)` once the project has changed."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """What `prepare` left in a folder."""
        values = orjson.loads((folder / "parts.json").read_bytes())
        return cls(folder=folder, **values | {"project": Path(values["project"])})

    @property
    def public_socket(self) -> str:
        """Path of a socket that can answer predictions."""
        return str(self.folder / "http.sock")

    @property
    def admin_socket(self) -> str:
        """Path of a socket that can answer for its health."""
        return str(self.folder / "admin.sock")

    def command(self, *arguments: str) -> list[str]:
        """The command line that starts the replica, with further arguments."""
        files = {
            "--manifest": "manifest.json",
            "--bundle": "bundle.tar",
            "--root": "project",
            "--secrets": "secrets.json",
            "--class": "class.pkl",
        }
        given = [
            part
            for option, name in files.items()
            if option == "--root" or (self.folder / name).exists()
            for part in (option, str(self.folder / name))
        ]
        if self.keys is not None:  # as it is, so that a change of it shows at once
            given += ["--keys", self.keys]
        line = [sys.executable, "-P", "-m", "cortex_server"]
        # Kept for the whole run: a change of the file downloads no model again.
        models = ["--models", str(self.folder.parent / "models")]
        return [*line, *given, *models, "--endpoint", self.endpoint, *arguments]


def prepare(api: "SyncAPI", folder: Path, key: bytes) -> Manifest:
    """Write the parts of an API to a folder; returns what the replica is told.

    Raises:
        CortexError: The project cannot be served; the message says why.
    """
    from cortex_sdk.project.keys import keys_file  # noqa: PLC0415  # `command` needs it not
    from cortex_sdk.project.release import release_of  # noqa: PLC0415  # same

    release = release_of(api, key)
    folder.mkdir(mode=0o700, exist_ok=True)
    release.bundle.write(folder / "bundle.tar")
    (folder / "manifest.json").write_bytes(release.manifest.json())
    if release.secrets:
        _write_private(folder / "secrets.json", orjson.dumps(release.secrets))
    if (pickle := release.pickle()) is not None:
        _write_private(folder / "class.pkl", pickle)
    keys = keys_file(api.auth, release.source.root)
    parts = {
        "name": api.name,
        "endpoint": api.endpoint,
        "revision": release.manifest.revision,
        "project": str(release.source.root),
        "keys": None if keys is None else str(keys),
        "fingerprint": _fingerprint(release.bundle.contents, release.source.root),
    }
    (folder / "parts.json").write_bytes(orjson.dumps(parts))
    return release.manifest


def unmet(requirements: Iterable[str]) -> list[str]:
    """Those that this interpreter lacks, or has in another version."""
    return [line for line in requirements if not _is_met(line)]


def _is_met(line: str) -> bool:
    try:
        wanted = Requirement(line.partition(" --hash")[0])
        if wanted.marker and not wanted.marker.evaluate():
            return True
        return wanted.specifier.contains(
            metadata.version(wanted.name), prereleases=True
        )
    except metadata.PackageNotFoundError:
        return False
    except InvalidRequirement:
        return True  # an option or an address: only an installer can tell


def fingerprint(project: Path) -> str:
    """What tells whether something that goes along has changed, without reading it."""
    try:
        return _fingerprint(project_files(project), project)
    except InvalidSpecError as error:
        return str(error)


def _fingerprint(files: Iterable[ProjectFile], project: Path) -> str:
    """Hash of the listing of a project and its `.env`."""
    listing = [(file.name, file.version, file.executable) for file in files]
    with suppress(OSError):
        found = (project / ENV_FILE).stat()
        listing.append((ENV_FILE, version_of(found), False))
    return hashlib.sha256(repr(listing).encode()).hexdigest()


def _write_private(path: Path, content: bytes) -> None:
    path.touch(_PRIVATE)
    path.write_bytes(content)
