"""Declared models as a replica is told of them."""

from collections.abc import Collection
from pathlib import PurePosixPath

from cortex_sdk.declaration.models import Models, name_of
from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.project.files import IGNORE_FILE
from cortex_server import manifest


def models_of(models: Models, files: Collection[str]) -> manifest.Models:
    """What the manifest says of them.

    Args:
        models: The declaration.
        files: Names of all files that go along.

    Raises:
        InvalidSpecError: A path inside the project does not go along.
    """
    paths = [
        manifest.ModelPath(
            name=model.name, path=model.path, signature_key=model.signature_key
        )
        for model in models.paths or ()
    ]
    if models.path is not None:
        paths = [manifest.ModelPath(name=name_of(models.path), path=models.path)]
    for place in (*(model.path for model in paths), models.dir):
        if place is not None:
            _check_goes_along(place, files)
    limits = models.model_dump(exclude={"path", "paths"})
    return manifest.Models(paths=tuple(paths), **limits)


def _check_goes_along(place: str, files: Collection[str]) -> None:
    if "://" in place or place.startswith("/"):
        return
    path = PurePosixPath(place).as_posix()
    inside = f"{path}/"
    if path == "." or not any(n == path or n.startswith(inside) for n in files):
        msg = (
            f"`SyncAPI.models`: {place!r} is no file or folder that goes along with the"
            f" project; check the name and `{IGNORE_FILE}`, or give an absolute path"
        )
        raise InvalidSpecError(msg)
