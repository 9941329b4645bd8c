"""Files that a command writes for people to keep."""

from collections.abc import Mapping
from pathlib import Path

from cortex_sdk.errors import TargetError

_PRIVATE, _PLAIN = 0o600, 0o644


def write_files(
    folder: Path, files: Mapping[str, bytes], *, force: bool, private: bool = False
) -> None:
    """Write files into a folder, all of them or none of them.

    Args:
        folder: Made if it is missing.
        files: Contents by name.
        force: Replace files that are there.
        private: Readable for this user alone.

    Raises:
        TargetError: Some are there already, or the folder cannot be written.
    """
    there = [name for name in files if (folder / name).exists()]
    if there and not force:
        msg = f"`{folder}` has {', '.join(there)} already; --force replaces them"
        raise TargetError(msg)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = folder / name
            path.touch(mode=_PRIVATE if private else _PLAIN)
            path.chmod(_PRIVATE if private else _PLAIN)
            path.write_bytes(content)
    except OSError as error:
        msg = f"cannot write to `{folder}`: {error.strerror or error}"
        raise TargetError(msg) from error
