"""What the built-in predictors have in common."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sanic.exceptions import SanicException

from cortex_server.worker.models.store import Models

_UNPROCESSABLE = 422


@dataclass(frozen=True, slots=True)
class Hints:
    """The types of payload and result that one model has."""

    payload: Any
    result: Any = None


def needed(module: str, install: str) -> Any:  # noqa: ANN401  # a module
    """Import what a predictor cannot do without.

    Raises:
        ImportError: It is not installed; the message has the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        msg = f"`{error.name}` is not installed; run `pip install {install}`"
        raise ImportError(msg) from None


def chosen(models: Models, query: Mapping[str, str]) -> Any:  # noqa: ANN401  # a model
    """The model that a request means."""
    return models.get(query.get("model"), query.get("version", "latest"))


def only_file(path: Path, suffixes: tuple[str, ...]) -> Path:
    """The file of a model, given itself or by the folder that it is in.

    Raises:
        ValueError: The folder holds none of that kind, or several.
    """
    if path.is_file():
        return path
    files = sorted(each for each in path.iterdir() if each.suffix in suffixes)
    if len(files) != 1:
        kinds = " or ".join(suffixes)
        msg = f"a model's folder must hold one {kinds} file, this one has {len(files)}"
        raise ValueError(msg)
    return files[0]


def unfit(detail: str) -> SanicException:
    """A payload that the model does not take."""
    return SanicException(detail, status_code=_UNPROCESSABLE)
