"""Getting the text of a release manifest, from wherever it is."""

import hashlib
import re
from pathlib import Path

import httpx

from cortex_sdk._target import Progress
from cortex_sdk.errors import InvalidSpecError, TargetError
from cortex_sdk.kubernetes.platform.releases import Release
from cortex_sdk.local.home import write

_URL = re.compile(r"https?://", re.IGNORECASE)
_CHECKSUM = re.compile(r"sha256=([0-9a-f]{64})", re.IGNORECASE)
_PATIENCE = httpx.Timeout(60.0, connect=15.0)


class Reader:
    """Reads manifests; what came from a URL is kept, named by its checksum."""

    def __init__(
        self,
        folder: Path,
        progress: Progress,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._folder = folder
        self._progress = progress
        self._transport = transport

    def read(self, release: Release, source: str | None) -> str:
        """The manifest of a release, from `source` or else from where it was published.

        Raises:
            InvalidSpecError: The source is no file, or a URL without a checksum.
            TargetError: It cannot be fetched, or is not what it should be.
        """
        if source is not None and not _URL.match(source):
            return _decoded(_file(release, source), release, source)
        url, checksum = _pinned(release, source)
        kept = self._folder / f"{checksum}.yaml"
        if not kept.exists() or _hash(kept.read_bytes()) != checksum:
            self._progress(f"fetching {release.title} from {_host(url)}")
            write(kept, _checked(self._fetch(release, url), checksum, release, url))
        return _decoded(kept.read_bytes(), release, url)

    def _fetch(self, release: Release, url: str) -> bytes:
        try:
            with httpx.Client(
                transport=self._transport, follow_redirects=True, timeout=_PATIENCE
            ) as client:
                answer = client.get(url).raise_for_status()
        except httpx.HTTPError as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            msg = (
                f"{release.title} cannot be fetched from {url} ({reason}); fetch it"
                f" where that works and name the file: {_setting(release)}"
            )
            raise TargetError(msg) from error
        return answer.content


def _file(release: Release, source: str) -> bytes:
    path = Path(source).expanduser()
    try:
        return path.read_bytes()
    except OSError as error:
        msg = (
            f"the manifest of {release.title}, {source}, cannot be read:"
            f" {error.strerror or error}; name a file, or a URL with its checksum"
        )
        raise InvalidSpecError(msg) from error


def _pinned(release: Release, source: str | None) -> tuple[str, str]:
    """URL and checksum."""
    if source is None:
        return release.url, release.sha256
    url, _, fragment = source.partition("#")
    if not (found := _CHECKSUM.fullmatch(fragment)):
        msg = (
            f"the URL of {release.title} needs the checksum of what is there: end it"
            " in #sha256= and 64 hex digits, or fetch the file and name it"
        )
        raise InvalidSpecError(msg)
    return url, found[1].lower()


def _checked(content: bytes, checksum: str, release: Release, url: str) -> bytes:
    if (actual := _hash(content)) != checksum:
        msg = (
            f"{release.title} from {url} is not what it should be: its sha256 is"
            f" {actual}, not {checksum}; nothing was changed"
        )
        raise TargetError(msg)
    return content


def _decoded(content: bytes, release: Release, source: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        msg = f"the manifest of {release.title}, {source}, is not UTF-8 text"
        raise InvalidSpecError(msg) from error


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _host(url: str) -> str:
    return httpx.URL(url).host


def _setting(release: Release) -> str:
    return f'Platform({release.field}="FILE")'
