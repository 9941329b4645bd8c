"""Where a predictor comes from: the project it belongs to, and how it travels.

A class in a file travels by reference: the file is in the bundle and is imported
there under its own name. A class that no file holds (a notebook cell, a REPL,
`python -c`) travels by value.
"""

import difflib
import inspect
import sys
from dataclasses import dataclass, field
from pathlib import Path

from cortex_sdk.declaration.built_in import BuiltIn
from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.project.identity import identity_of
from cortex_sdk.project.pickling import Thing, resolve_hints
from cortex_sdk.project.script import (
    MAIN_NAMES,
    ModuleFile,
    folder_of_script,
    is_importable,
    is_installed,
    module_file,
    running_script,
    working_directory,
)
from cortex_server.manifest import PredictorModule, PredictorPickle


@dataclass(frozen=True, slots=True)
class Source:
    """The project of a predictor, and how the class is found in it."""

    root: Path
    """Folder whose files go along."""
    reference: PredictorModule | PredictorPickle
    predictor: type | None = field(default=None, repr=False)
    """The class where it travels by value."""


@dataclass(frozen=True, slots=True)
class _Project:
    """What a declaration says about its project."""

    folder: Path
    """Folder that the declaration stands in, and that `chosen` is relative to."""
    chosen: str | None
    python_path: str | None

    def root(self, default: Path) -> Path:
        """The root, checked."""
        if self.chosen is None:
            root = default.resolve()
        else:
            root = (self.folder / Path(self.chosen).expanduser()).resolve()
        _check_root(root)
        if self.python_path and not (root / self.python_path).is_dir():
            msg = (
                f"`SyncAPI.python_path` must be a folder of the project, but `{root}`"
                f" has no folder {self.python_path!r}"
            )
            raise InvalidSpecError(msg)
        return root

    def import_path(self, root: Path) -> list[Path]:
        """Folders of the project that a replica imports from, in order."""
        first = [(root / self.python_path).resolve()] if self.python_path else []
        return [*first, root]


def source_of(
    predictor: type | str | BuiltIn,
    project: str | None,
    python_path: str | None = None,
    folder: Path | None = None,
) -> Source:
    """Find the project of a predictor, and how a replica gets at the class.

    Args:
        predictor: The class, "module:Class", or one that comes with the server.
        project: Folder whose files go along; None for that of the class.
        python_path: Folder of the project that is imported from first.
        folder: Where the declaration stands, which `project` is relative to; None for
            the folder of the running script, or else the working directory.

    Raises:
        InvalidSpecError: A replica could not get at the class, or the project is no
            folder that may go along.
    """
    place = _Project(folder or folder_of_script(), project, python_path)
    if isinstance(predictor, BuiltIn):
        return Source(place.root(place.folder), predictor.reference)
    if isinstance(predictor, str):
        return _by_name(predictor, place)
    if "<locals>" in predictor.__qualname__:
        msg = (
            f"`{predictor.__qualname__}` is a class inside a function, where no replica"
            f" finds it; move `{predictor.__name__}` to the top level of its file"
        )
        raise InvalidSpecError(msg)
    file = file_of(predictor)
    if file is not None:
        return _by_reference(predictor, file, place)
    return _by_value(predictor, place)


def file_of(thing: Thing) -> ModuleFile | None:
    """The file that it comes from, None where it must travel by value.

    Raises:
        InvalidSpecError: It comes from a module that nobody else can import.
    """
    name = thing.__module__
    if name in MAIN_NAMES:
        script = running_script()
        return script if script and _is_written_in(script.path, thing) else None
    path = module_file(sys.modules.get(name))
    if path is None:
        msg = (
            f"`{thing.__qualname__}` comes from the module `{name}`, which has no"
            " file that a replica could import; define it in a Python file"
        )
        raise InvalidSpecError(msg)
    return ModuleFile(name, path)


def _is_written_in(path: Path, thing: Thing) -> bool:
    """Whether something of `__main__` comes from the script, and not from a prompt."""
    parts = vars(thing).values() if isinstance(thing, type) else [thing]
    functions = filter(inspect.isfunction, map(_unwrapped, parts))
    files = {function.__code__.co_filename for function in functions}
    return not files or any(Path(file).resolve() == path.resolve() for file in files)


def _unwrapped(value: object) -> object:
    value = getattr(value, "__func__", value)
    return inspect.unwrap(value) if callable(value) else value


def _by_reference(predictor: type, file: ModuleFile, place: _Project) -> Source:
    if is_installed(file.path):
        name = predictor.__qualname__
        reference = PredictorModule(module=file.name, qualname=name)
        return Source(place.root(place.folder), reference)
    file.check_name()
    root = place.root(file.folder)
    return Source(root, reference_to(predictor, file, root, place.import_path(root)))


def reference_to(
    thing: Thing, file: ModuleFile, root: Path, imported: list[Path]
) -> PredictorModule:
    """How a replica imports something of a project's file.

    Args:
        thing: The class or function.
        file: Where it is.
        root: The project.
        imported: Folders of the project that a replica imports from.

    Raises:
        InvalidSpecError: It is not where a replica could import it.
    """
    if not file.path.is_relative_to(root):
        msg = (
            f"`{thing.__qualname__}` is in `{file.path}`, outside the project"
            f" `{root}`; set `project` to a folder that holds it"
        )
        raise InvalidSpecError(msg)
    if file.folder not in imported:
        needed = file.folder.relative_to(root).as_posix()
        msg = (
            f"`{file.path}` is not at the top of the project `{root}`, where a replica"
            f" imports from; set `python_path={needed!r}`"
        )
        raise InvalidSpecError(msg)
    return PredictorModule(module=file.name, qualname=thing.__qualname__)


def _by_value(predictor: type, place: _Project) -> Source:
    root = place.root(working_directory())
    resolve_hints(predictor)
    reference = PredictorPickle(
        identity=identity_of(predictor), qualname=predictor.__qualname__
    )
    return Source(root, reference, predictor)


def _by_name(reference: str, place: _Project) -> Source:
    module, _, qualname = reference.partition(":")
    root = place.root(place.folder)
    looked = place.import_path(root)
    if not is_importable(module, [*map(str, looked), *sys.path]):
        folders = " and ".join(f"`{folder}`" for folder in looked)
        files = [file.stem for folder in looked for file in folder.glob("*.py")]
        near = difflib.get_close_matches(module, files, 1)
        hint = f"did you mean `{near[0]}`?" if near else "name a file of the project"
        msg = (
            f"`SyncAPI.predictor`: there is no module `{module}` in {folders}, and none"
            f" is installed; {hint}"
        )
        raise InvalidSpecError(msg)
    return Source(root, PredictorModule(module=module, qualname=qualname))


def _check_root(root: Path) -> None:
    if not root.is_dir():
        msg = f"`SyncAPI.project` must be a folder, but there is none at `{root}`"
        raise InvalidSpecError(msg)
    home = Path.home().resolve()
    if home.is_relative_to(root):
        what = "the home folder" if root == home else f"`{root}`"
        msg = (
            f"the project would be {what} with everything in it; put the files of the"
            " API into a folder of their own, or name one with `project`"
        )
        raise InvalidSpecError(msg)
