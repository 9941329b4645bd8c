"""From a bundle to the predictor class in it, and the functions that follow."""

import importlib
import os
import pickle
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from cortex_server.bundle import BundleError, unpack
from cortex_server.interface import (
    Interface,
    InterfaceError,
    Method,
    hook_of,
    interface_of,
)
from cortex_server.launch import Launch
from cortex_server.manifest import (
    LOADING_IN_REPLICA,
    LOADING_VARIABLE,
    PYTHON_VERSION,
    Manifest,
    Predictor,
    PredictorModule,
    StartFailure,
)
from cortex_server.worker.user_code import StartError, user_code


def load(
    manifest: Manifest, launch: Launch
) -> tuple[type, Interface, list[tuple[Method, Callable[..., Any]]]]:
    """Unpack the bundle, make it the working directory, and find in it what runs.

    Returns:
        The class, what is known of it, and the hooks besides its own method.

    Raises:
        StartError: Anything of that fails; it says what in the user's terms.
    """
    if manifest.python != PYTHON_VERSION:
        raise _failure(
            f"the API was deployed from Python {manifest.python} and cannot run on"
            f" {PYTHON_VERSION}; deploy it again from this version"
        )
    _enter_project(manifest, launch)
    found = _Found(launch)
    cls = found.get(manifest.predictor)
    functions = [found.get(reference) for reference in manifest.post_predict.hooks]
    try:
        hooks = [(hook_of(function), function) for function in functions]
        is_batched = manifest.batching is not None
        return cls, interface_of(cls, is_batched=is_batched), hooks
    except InterfaceError as error:
        raise _failure(str(error)) from None


def unpack_project(manifest: Manifest, launch: Launch) -> None:
    """Put the user's files in their place, unless they are there.

    Raises:
        StartError: They cannot be unpacked; it says why.
    """
    try:
        unpack(launch.bundle, manifest.bundle, launch.root)
    except (BundleError, OSError) as error:
        raise _failure(f"the bundle cannot be unpacked: {error}") from error


def _enter_project(manifest: Manifest, launch: Launch) -> None:
    unpack_project(manifest, launch)
    os.chdir(launch.root)
    root = Path.cwd()
    sys.path.insert(0, str(root))
    if manifest.python_path:
        sys.path.insert(0, str(root / manifest.python_path))


class _Found:
    """Classes and functions by their references, those of a pickle in its order."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._pickle: pickle.Unpickler | None = None

    def get(self, reference: Predictor) -> Any:  # noqa: ANN401  # the user's
        if isinstance(reference, PredictorModule):
            return _import(reference.module, reference.qualname, self._launch.root)
        return self._unpickled(reference.qualname)

    def _unpickled(self, name: str) -> Any:  # noqa: ANN401  # the user's
        path, root = self._launch.pickle, self._launch.root
        if path is None:
            raise _failure(f"`{name}` comes from a notebook, but no --class was given")
        with user_code(f"loading `{name}` as the notebook defined it", root):
            self._pickle = self._pickle or pickle.Unpickler(BytesIO(path.read_bytes()))  # noqa: S301  # runs the user's code anyway
            return self._pickle.load()


def _import(name: str, qualname: str, root: Path) -> Any:  # noqa: ANN401  # the user's
    os.environ[LOADING_VARIABLE] = LOADING_IN_REPLICA
    try:
        with user_code(f"importing `{name}`", root):
            module = importlib.import_module(name)
    finally:
        os.environ.pop(LOADING_VARIABLE, None)
    found: Any = module
    for step in qualname.split("."):
        found = getattr(found, step, None)
    if found is None:
        raise _failure(f"`{name}` defines no `{qualname}`")
    return found


def _failure(message: str) -> StartError:
    return StartError(StartFailure(message=message))
