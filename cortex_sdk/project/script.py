"""Modules as files: the running script, and from where a file can be imported."""

import importlib
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

from cortex_sdk.errors import InvalidSpecError

# Processes that multiprocessing spawns know the script by the second name.
MAIN_NAMES = ("__main__", "__mp_main__")
_PACKAGE_FOLDERS = {"site-packages", "dist-packages"}


@dataclass(frozen=True, slots=True)
class ModuleFile:
    """A file, and the name that it is imported by."""

    name: str
    path: Path

    @property
    def folder(self) -> Path:
        """The folder that has to be on the import path.

        Raises:
            InvalidSpecError: There is none, since the path does not end in the name.
        """
        below = self.path.parent if self.path.stem == "__init__" else self.path
        for step in reversed(self.name.split(".")):
            if below.name.partition(".")[0] != step:
                msg = (
                    f"`{self.path}` cannot be imported as `{self.name}`; rename it, so"
                    " that its name has letters, digits and underscores only"
                )
                raise InvalidSpecError(msg)
            below = below.parent
        return below

    def check_name(self) -> None:
        """Refuse a file that another process would import something else for.

        Raises:
            InvalidSpecError: It has a dot in its name, or the name of a module of
                Python; the message says to rename it.
        """
        stem, suffix = self.path.stem, self.path.suffix
        if "." in stem:
            better = stem.replace(".", "_") + suffix
            msg = (
                f"`{self.path}` cannot be imported, since its name has a dot in it;"
                f" rename it, for example to `{better}`"
            )
            raise InvalidSpecError(msg)
        top = self.name.partition(".")[0]
        if top in sys.stdlib_module_names or top in MAIN_NAMES:
            msg = (
                f"`{self.path}` cannot be imported as `{self.name}`, which is a module"
                f" of Python itself; rename it, for example to `my_{stem}{suffix}`"
            )
            raise InvalidSpecError(msg)


def module_file(module: ModuleType | None) -> Path | None:
    """The file of a module, None where it has none (any more)."""
    name = getattr(module, "__file__", None)
    path = Path(name) if name else None
    return path.parent.resolve() / path.name if path and path.is_file() else None


def running_script() -> ModuleFile | None:
    """The script that runs, by the name that another process can import it by."""
    module = sys.modules.get("__main__")
    path = module_file(module)
    if path is None:
        return None
    spec = getattr(module, "__spec__", None)
    if spec is None or spec.name in MAIN_NAMES:
        return ModuleFile(path.stem, path)
    return ModuleFile(spec.name, path)  # python -m


def folder_of_script() -> Path:
    """Folder of the running script; of a notebook or a REPL, the working directory."""
    script = running_script()
    if script and script.path.suffix == ".py" and not is_installed(script.path):
        return script.folder if "." not in script.path.stem else script.path.parent
    return working_directory()


def working_directory() -> Path:
    """The working directory; raises InvalidSpecError when it is gone."""
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        msg = "the working directory does not exist any more; change to another one"
        raise InvalidSpecError(msg) from error


def is_importable(module: str, path: list[str]) -> bool:
    """Look for a module without importing it, or the packages around it."""
    importlib.invalidate_caches()
    for step in module.split("."):
        spec = PathFinder.find_spec(step, path)
        if spec is None:
            return False
        path = list(spec.submodule_search_locations or ())
    return True


def is_installed(path: Path) -> bool:
    """Whether a file belongs to Python or to an installed package."""
    return not _PACKAGE_FOLDERS.isdisjoint(path.parts) or any(
        path.is_relative_to(folder) for folder in _library_folders()
    )


@cache
def _library_folders() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return tuple({Path(paths[name]).resolve() for name in names})
