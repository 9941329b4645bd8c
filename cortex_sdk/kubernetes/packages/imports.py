"""The modules that the code of a project names, found without running it."""

import ast
import pickletools
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType

from cortex_sdk.project.files import ProjectFile

_NOTEBOOKS_OWN = {"", "IPython", "ipykernel"}


def imported(files: Iterable[ProjectFile]) -> set[str]:
    """Top-level names of all modules that Python files import.

    A file that is no Python of this version is passed over: nothing will import it.
    """
    found: set[str] = set()
    for file in files:
        if file.name.endswith(".py"):
            found |= _names(_code(file))
    return found


def of_session(variables: Mapping[str, object]) -> set[str]:
    """Top-level names of the modules that a notebook has imported from.

    What a class in a cell loads may be an object of a package that only another cell
    names.
    """
    found = set()
    for value in list(variables.values()):
        if isinstance(value, ModuleType):
            found.add(value.__name__)
        else:
            found |= {
                str(getattr(each, "__module__", "")) for each in (value, type(value))
            }
    return {name.partition(".")[0] for name in found} - _NOTEBOOKS_OWN


def pickled(content: bytes) -> set[str]:
    """Top-level names of what may be modules in a pickle: rather too many than few."""
    texts = (argument for _, argument, _ in pickletools.genops(content))
    names = (text.partition(".")[0] for text in texts if isinstance(text, str))
    return {name for name in names if name.isidentifier()}


def _code(file: ProjectFile) -> str:
    try:
        return file.path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""


def _names(code: str) -> set[str]:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return set()
    return {name.partition(".")[0] for node in ast.walk(tree) for name in _of(node)}


def _of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        yield node.module
