"""How the functions that follow a response get to a replica.

As a predictor does: by reference where a file of the project or an installed package
holds them, by value where no file does.
"""

from collections.abc import Iterable
from pathlib import Path
from types import FunctionType

from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.project.code import is_at_its_name
from cortex_sdk.project.identity import identity_of
from cortex_sdk.project.pickling import resolve_hints
from cortex_sdk.project.script import is_installed
from cortex_sdk.project.source import file_of, reference_to
from cortex_server.manifest import PredictorModule, PredictorPickle

Reference = PredictorModule | PredictorPickle


def hook_references(
    functions: Iterable[FunctionType], root: Path, python_path: str | None
) -> dict[FunctionType, Reference]:
    """How a replica gets at each function.

    Args:
        functions: What follows a response.
        root: The project of the predictor.
        python_path: Folder of the project that is imported from first.

    Raises:
        InvalidSpecError: A replica could not get at one.
    """
    first = [(root / python_path).resolve()] if python_path else []
    return {each: _reference(each, root, [*first, root]) for each in functions}


def _reference(function: FunctionType, root: Path, imported: list[Path]) -> Reference:
    file = file_of(function)
    name = function.__qualname__
    if file is None:
        resolve_hints(function)
        return PredictorPickle(identity=identity_of(function), qualname=name)
    if not is_at_its_name(function):
        msg = (
            f"`{name}` is not found under that name in `{file.path}`, where a replica"
            " looks for it; define it with `def` at the top level of the file"
        )
        raise InvalidSpecError(msg)
    if is_installed(file.path):
        return PredictorModule(module=file.name, qualname=name)
    file.check_name()
    return reference_to(function, file, root, imported)
