"""Loading a file of the user's without deploying anything.

While a replica, or the command line, imports a file to find what it declares, the
verbs of every object in it do nothing. So a script that ends in `.deploy("local")`
serves on every target, with or without a guard.
"""

import difflib
import importlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.project.script import (
    ModuleFile,
    is_importable,
    is_installed,
    module_file,
    working_directory,
)
from cortex_server.manifest import LOADING_VARIABLE

if TYPE_CHECKING:
    from cortex_sdk.declaration.deployable import Deployable


@dataclass(frozen=True, slots=True)
class _Load:
    """A load that is under way."""

    folder: Path
    declared: "list[Deployable]" = field(default_factory=list)


_current: ContextVar[_Load | None] = ContextVar("_current", default=None)


def is_loading() -> bool:
    """Whether a file is being imported only to find what it declares."""
    return LOADING_VARIABLE in os.environ


def declared(thing: "Deployable") -> Path | None:
    """Note a declaration; return the folder of the file while one is loaded.

    That is how `load` finds one that no variable holds.
    """
    current = _current.get()
    if current is None:
        return None
    current.declared.append(thing)
    return current.folder


def load(target: str) -> "list[Deployable]":
    """Import a file or a module, and return what it declares; nothing is deployed.

    APIs come before the splitters that need them.

    Args:
        target: Path of a Python file or name of a module; ":name" after it chooses
            one of its variables.

    Raises:
        InvalidSpecError: It cannot be imported, or declares nothing, or two things of
            one name; `traceback` has the frames of the user's code, if any took part.
    """
    from cortex_sdk.project.user_code import user_code  # noqa: PLC0415  # not for a replica

    source, _, variable = target.partition(":")
    file = _file(source)
    with loading(file.folder if file else working_directory()) as current:
        if file is None:
            _check_importable(source)
        with user_code(f"`{source}`"):
            module = _execute(file) if file else importlib.import_module(source)
    bound = _variables(module)
    if variable:
        return [_chosen(bound, variable, source)]
    return _distinct([*current.declared, *bound.values()], source)


@contextmanager
def loading(folder: Path) -> Iterator[_Load]:
    """Turn the verbs off, and import from `folder` first, while the block runs."""
    before = os.environ.get(LOADING_VARIABLE)
    current = _Load(folder)
    token = _current.set(current)
    os.environ[LOADING_VARIABLE] = "1"
    sys.path.insert(0, str(folder))
    try:
        yield current
    finally:
        sys.path.remove(str(folder))
        if before is None:
            del os.environ[LOADING_VARIABLE]
        _current.reset(token)


def _file(source: str) -> ModuleFile | None:
    """The Python file that is meant, None where a module is."""
    path = Path(source).expanduser()
    if path.suffix != ".py" and "/" not in source and not path.is_file():
        return None
    if not path.exists():
        raise InvalidSpecError(_no_such(source, path.parent))
    if path.suffix != ".py" or not path.is_file():
        msg = f"`{source}` is not a Python file; name one that declares a SyncAPI"
        raise InvalidSpecError(msg)
    file = ModuleFile(path.stem, path.parent.resolve() / path.name)
    file.check_name()
    return file


def _check_importable(module: str) -> None:
    if not is_importable(module, sys.path):
        raise InvalidSpecError(_no_such(module, Path()))


def _no_such(source: str, folder: Path) -> str:
    files = {path.stem: path for path in folder.glob("*.py")}
    near = difflib.get_close_matches(Path(source).stem, files, 1)
    kind = "file" if source.endswith(".py") else "file or module"
    hint = f"did you mean `{files[near[0]]}`?" if near else "name a Python file"
    return f"there is no {kind} `{source}`; {hint}"


class _FreshLoader(SourceFileLoader):
    """Compiles the file as it is: a cached one can be stale for a second."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _execute(file: ModuleFile) -> ModuleType:
    present = module_file(sys.modules.get(file.name))
    if present and is_installed(present):
        msg = (
            f"`{file.path}` has the name of the installed module `{file.name}`; rename"
            " it"
        )
        raise InvalidSpecError(msg)
    loader = _FreshLoader(file.name, str(file.path))
    module = module_from_spec(ModuleSpec(file.name, loader, origin=str(file.path)))
    module.__file__ = str(file.path)
    sys.modules[file.name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[file.name]
        raise
    return module


def _variables(module: ModuleType) -> "dict[str, Deployable]":
    from cortex_sdk.declaration.deployable import Deployable  # noqa: PLC0415  # a cycle

    return {k: v for k, v in vars(module).items() if isinstance(v, Deployable)}


def _chosen(bound: "dict[str, Deployable]", variable: str, source: str) -> "Deployable":
    if variable in bound:
        return bound[variable]
    near = difflib.get_close_matches(variable, bound, 1)
    has = (
        f"it has {', '.join(f'`{name}`' for name in bound)}" if bound else "it has none"
    )
    hint = f"did you mean `{near[0]}`?" if near else has
    msg = f"`{source}` has no SyncAPI in a variable `{variable}`; {hint}"
    raise InvalidSpecError(msg)


def _distinct(things: "list[Deployable]", source: str) -> "list[Deployable]":
    """Each thing once, in order of deployment; there is one, and each has its name."""
    found = list({id(thing): thing for thing in things}.values())
    if not found:
        msg = (
            f"`{source}` declares no SyncAPI; add one, such as"
            " `SyncAPI(predictor=Iris)`, outside of any `if __name__ ==`"
        )
        raise InvalidSpecError(msg)
    [(name, count)] = Counter(thing.name for thing in found).most_common(1)
    if count > 1:
        msg = (
            f"`{source}` declares {count} APIs named {name!r}; give each a name of its"
            ' own, such as `SyncAPI(..., name="other")`'
        )
        raise InvalidSpecError(msg)
    return sorted(found, key=lambda thing: thing.rank)
