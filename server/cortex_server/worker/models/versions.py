"""From the files of a place to models and their versions. Pure.

A folder in which everything lies in sub-folders named by whole numbers holds versions;
any other folder, or a file, is version 1 of a model.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

MODEL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""What a model in a folder of models may be called."""

_NUMBER = re.compile(r"[0-9]{1,18}")
_IGNORED = "__pycache__"

Versions = dict[int, "Version"]


class ListingError(Exception):
    """What a place holds cannot be told, or makes no sense; the message says why."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of a place."""

    name: str
    """Path below the place, "" where the place is a file itself."""
    size: int
    mark: str
    """Differs when the content may."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one model, as it was when its place was looked at."""

    name: str
    number: int
    address: str
    """Path or URL of its file or folder."""
    files: tuple[File, ...]
    """Their names are paths below `address`."""

    @property
    def key(self) -> tuple[str, int]:
        """What it is asked for by."""
        return self.name, self.number

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.size for file in self.files)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that differ when its content may."""
        content = repr((self.address, sorted((f.name, f.mark) for f in self.files)))
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        """How messages call it."""
        return f"version {self.number} of the model {self.name!r}"


def versions_of(name: str, address: str, files: Iterable[File]) -> Versions:
    """The versions of one model, by number.

    Raises:
        ListingError: Two folders are the same version.
    """
    files = [file for file in files if not _is_hidden(file)]
    if not files:
        return {}
    if not all(map(_is_numbered, files)):
        return {1: Version(name, 1, address, tuple(files))}
    found: Versions = {}
    for step, inside in _by_first_step(files).items():
        number = int(step)
        if number in found:
            msg = f"{address} has two folders for version {number}; remove one"
            raise ListingError(msg)
        found[number] = Version(name, number, f"{address}/{step}", inside)
    return found


def models_of(address: str, files: Iterable[File]) -> dict[str, Versions]:
    """The models of a folder of models: each sub-folder or file in it is one.

    Raises:
        ListingError: Two of them have the same name.
    """
    found: dict[str, Versions] = {}
    visible = [file for file in files if not _is_hidden(file)]
    for step, inside in _by_first_step(visible).items():
        is_file = inside[0].name == ""
        name = PurePosixPath(step).stem if is_file else step
        if not MODEL_NAME.fullmatch(name):
            continue
        if name in found:
            msg = f"{address} has two models named {name!r}; rename one"
            raise ListingError(msg)
        found[name] = versions_of(name, f"{address}/{step}", inside)
    return {name: versions for name, versions in found.items() if versions}


def _by_first_step(files: Iterable[File]) -> dict[str, tuple[File, ...]]:
    groups: defaultdict[str, list[File]] = defaultdict(list)
    for file in files:
        step, _, rest = file.name.partition("/")
        groups[step].append(File(rest, file.size, file.mark))
    return {step: tuple(groups[step]) for step in sorted(groups)}


def _is_hidden(file: File) -> bool:
    steps = file.name.split("/")
    return any(step.startswith(".") or step == _IGNORED for step in steps)


def _is_numbered(file: File) -> bool:
    step, slash, _ = file.name.partition("/")
    return bool(slash and _NUMBER.fullmatch(step))
