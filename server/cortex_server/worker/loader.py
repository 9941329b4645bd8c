"""From a bundle to the predictor class in it."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import cloudpickle

from cortex_server.bundle import BundleError, unpack
from cortex_server.interface import Interface, InterfaceError, interface_of
from cortex_server.launch import Launch
from cortex_server.manifest import (
    LOADING_VARIABLE,
    PYTHON_VERSION,
    Manifest,
    PredictorModule,
    StartFailure,
)
from cortex_server.worker.user_code import StartError, user_code


def load(manifest: Manifest, launch: Launch) -> tuple[type, Interface]:
    """Unpack the bundle, make it the working directory, and find the class in it.

    Raises:
        StartError: Anything of that fails; it says what in the user's terms.
    """
    if manifest.python != PYTHON_VERSION:
        raise _failure(
            f"the API was deployed from Python {manifest.python} and cannot run on"
            f" {PYTHON_VERSION}; deploy it again from this version"
        )
    _enter_project(manifest, launch)
    if isinstance(manifest.predictor, PredictorModule):
        cls = _import(manifest.predictor, launch.root)
    else:
        cls = _unpickle(manifest.predictor.qualname, launch)
    try:
        return cls, interface_of(cls)
    except InterfaceError as error:
        raise _failure(str(error)) from None


def _enter_project(manifest: Manifest, launch: Launch) -> None:
    try:
        unpack(launch.bundle, manifest.bundle, launch.root)
    except (BundleError, OSError) as error:
        raise _failure(f"the bundle cannot be unpacked: {error}") from error
    os.chdir(launch.root)
    root = Path.cwd()
    sys.path.insert(0, str(root))
    if manifest.python_path:
        sys.path.insert(0, str(root / manifest.python_path))


def _import(reference: PredictorModule, root: Path) -> Any:  # noqa: ANN401  # the user's
    os.environ[LOADING_VARIABLE] = "1"
    try:
        with user_code(f"importing `{reference.module}`", root):
            module = importlib.import_module(reference.module)
    finally:
        os.environ.pop(LOADING_VARIABLE, None)
    found: Any = module
    for name in reference.qualname.split("."):
        found = getattr(found, name, None)
    if found is None:
        raise _failure(f"`{reference.module}` defines no `{reference.qualname}`")
    return found


def _unpickle(name: str, launch: Launch) -> Any:  # noqa: ANN401  # the user's
    if launch.pickle is None:
        raise _failure(f"`{name}` comes from a notebook, but no --class was given")
    with user_code(f"loading `{name}` as the notebook defined it", launch.root):
        return cloudpickle.loads(launch.pickle.read_bytes())


def _failure(message: str) -> StartError:
    return StartError(StartFailure(message=message))
