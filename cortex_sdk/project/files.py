"""Which files of a project go along when it is deployed.

Everything below the root, except what the defaults and `.cortexignore` leave out,
and never a `.env`. Empty folders do not count, as in git.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from cortex_sdk.errors import InvalidSpecError

IGNORE_FILE = ".cortexignore"
ENV_FILE = ".env"
"""Values of this file travel apart from the project, whatever the ignore file says."""

HOME_VARIABLE = "CORTEX_HOME"
"""Names the folder that deploys write to; it never goes along either."""

# The outputs inside a notebook change with every run, its code seldom.
_DEFAULTS = (".*", "__pycache__/", "*.py[cod]", "*.ipynb")
_VIRTUAL_ENVIRONMENT = "pyvenv.cfg"
_KINDS = {
    stat.S_IFSOCK: "socket",
    stat.S_IFIFO: "named pipe",
    stat.S_IFBLK: "device",
    stat.S_IFCHR: "device",
}


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """One file that goes along, as it was when the project was listed."""

    name: str
    """Path below the root, with "/" between its steps."""
    path: Path
    """Where its content is; a link has been followed."""
    size: int
    executable: bool
    version: tuple[int, int, int]
    """Differs when the content may: inode, size and time of change."""


@dataclass(frozen=True, slots=True)
class _Folder:
    prefix: str
    path: Path
    ancestors: frozenset[Path]
    """Real paths of this folder and of those it was reached through."""


def project_files(root: Path) -> list[ProjectFile]:
    """List what goes along, by name.

    Raises:
        InvalidSpecError: Something in the project cannot be read or cannot travel.
    """
    root = root.resolve()
    rules = _rules(root)
    home = _home(root)
    found: list[ProjectFile] = []
    pending = [_Folder("", root, frozenset([root]))]
    while pending:
        folder = pending.pop()
        for name, entry in _included(folder, rules):
            if entry.path == home:
                continue
            path = _followed(entry, name, root) if entry.is_symlink() else entry.path
            child = _child(folder, name, Path(path))
            if isinstance(child, _Folder):
                pending.append(child)
            else:
                found.append(child)
    return sorted(found, key=lambda file: file.name)


def version_of(status: os.stat_result) -> tuple[int, int, int]:
    """What differs between two looks at a file when its content may have changed."""
    return status.st_ino, status.st_size, status.st_mtime_ns


def cannot_read(name: str, error: OSError) -> InvalidSpecError:
    """The error for a file of the project that cannot be read."""
    return InvalidSpecError(
        f"cannot read `{name}` of the project: {_reason(error)}; make it readable, or"
        f" list it in `{IGNORE_FILE}`"
    )


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _home(root: Path) -> str:
    home = os.environ.get(HOME_VARIABLE)
    path = os.path.realpath(home) if home else ""
    if path == str(root):
        msg = (
            f"the project `{root}` is also ${HOME_VARIABLE}, which changes with each"
            f" deploy; set {HOME_VARIABLE} to another folder"
        )
        raise InvalidSpecError(msg)
    return path


def _rules(root: Path) -> GitIgnoreSpec:
    path = root / IGNORE_FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    except OSError as error:
        msg = f"cannot read `{path}`: {_reason(error)}"
        raise InvalidSpecError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"`{path}` must be UTF-8 text"
        raise InvalidSpecError(msg) from error
    try:
        return GitIgnoreSpec.from_lines([*_DEFAULTS, *lines])
    except ValueError as error:
        msg = f"`{path}` has a pattern that gitignore syntax does not know: {error}"
        raise InvalidSpecError(msg) from error


def _included(
    folder: _Folder, rules: GitIgnoreSpec
) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    try:
        entries = list(os.scandir(folder.path))
    except OSError as error:
        raise cannot_read(folder.prefix.rstrip("/") or ".", error) from error
    for entry in entries:
        name = folder.prefix + _portable(entry.name, folder.prefix)
        if entry.name != ENV_FILE and not _is_ignored(entry, name, rules):
            yield name, entry


def _portable(name: str, prefix: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        shown = os.fsencode(prefix + name).decode(errors="backslashreplace")
        msg = f"the name of `{shown}` is not UTF-8; rename the file"
        raise InvalidSpecError(msg) from error
    if "\\" in name:
        msg = f"the name of `{prefix}{name}` has a backslash in it; rename the file"
        raise InvalidSpecError(msg)
    return name


def _is_ignored(entry: "os.DirEntry[str]", name: str, rules: GitIgnoreSpec) -> bool:
    is_folder = _is_folder(entry)
    verdict = rules.check_file(f"{name}/" if is_folder else name).include
    if verdict is None:
        return is_folder and os.access(f"{entry.path}/{_VIRTUAL_ENVIRONMENT}", os.F_OK)
    return verdict


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a loop
        return False


def _followed(entry: "os.DirEntry[str]", name: str, root: Path) -> Path:
    target = str(Path(entry.path).readlink())
    try:
        path = Path(entry.path).resolve(strict=True)
    except FileNotFoundError as error:
        raise _bad_link(name, target, "does not exist") from error
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop, before 3.13
        raise _bad_link(name, target, "cannot be followed") from error
    if not path.is_relative_to(root):
        raise _bad_link(name, target, f"is outside the project `{root}`")
    if path.name == ENV_FILE:
        raise _bad_link(name, target, "never goes along")
    return path


def _bad_link(name: str, target: str, problem: str) -> InvalidSpecError:
    return InvalidSpecError(
        f"the link `{name}` leads to `{target}`, which {problem}; replace it by what"
        f" is meant, or list it in `{IGNORE_FILE}`"
    )


def _child(folder: _Folder, name: str, path: Path) -> _Folder | ProjectFile:
    try:
        status = path.stat(follow_symlinks=False)
    except OSError as error:
        raise cannot_read(name, error) from error
    if stat.S_ISDIR(status.st_mode):
        if path in folder.ancestors:
            raise _bad_link(name, str(path), "contains that link")
        return _Folder(f"{name}/", path, folder.ancestors | {path})
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "special file")
        msg = (
            f"`{name}` is a {kind}, which cannot go along; remove it, or list it in"
            f" `{IGNORE_FILE}`"
        )
        raise InvalidSpecError(msg)
    return ProjectFile(
        name=name,
        path=path,
        size=status.st_size,
        executable=bool(status.st_mode & stat.S_IXUSR),
        version=version_of(status),
    )
