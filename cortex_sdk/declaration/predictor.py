"""What a declaration says about its predictor, each part with its rule."""

import math
import os
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from cortex_sdk.declaration.built_in import BuiltIn
from cortex_server.interface import InterfaceError, interface_of

NAME_LENGTH = 42
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_REFERENCE = re.compile(r"[\w-]+(\.[\w-]+)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def kebab(name: str) -> str:
    """A class name as the name of an API: MyPredictor becomes my-predictor."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_", "-", name)
    return re.sub(r"-+", "-", words).strip("-").lower()


def default_name(predictor: object) -> str:
    """The name of an API that was given none."""
    if isinstance(predictor, str) and _REFERENCE.fullmatch(predictor):
        return kebab(re.split(r"[:.]", predictor)[-1])
    if isinstance(predictor, BuiltIn):
        return kebab(predictor.default_name)
    return kebab(predictor.__name__) if isinstance(predictor, type) else "api"


def _class(value: object) -> object:
    if isinstance(value, BuiltIn):
        return value
    if isinstance(value, str):
        if not _REFERENCE.fullmatch(value):
            msg = f'must be a class or text such as "module:Class", got {value!r}'
            raise ValueError(msg)
        return value
    is_batched = hasattr(value, "predict_batch") and not hasattr(value, "predict")
    try:
        # Whether that suits `batching` is for the whole declaration to say.
        interface_of(value, is_batched=is_batched)  # type: ignore[arg-type]  # it refuses what is no class
    except InterfaceError as error:
        raise ValueError(str(error)) from None
    return value


def _name(value: str) -> str:
    if not _NAME.fullmatch(value) or len(value) > NAME_LENGTH:
        msg = (
            f"must be at most {NAME_LENGTH} lower-case letters, digits and hyphens,"
            " starting with a letter and not ending in a hyphen"
        )
        raise ValueError(msg)
    return value


def _json_object(value: object) -> object:
    """A copy of a dict of JSON values; an error says where there is another."""
    if value is None:
        return {}
    try:
        return _json(value, "") if isinstance(value, Mapping) else value
    except RecursionError:
        msg = "must be JSON, but contains itself, or is too deep"
        raise ValueError(msg) from None


def _json(value: object, where: str) -> Any:  # noqa: ANN401  # JSON
    match value:
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case list() | tuple():
            return [_json(item, f"{where}[{n}]") for n, item in enumerate(value)]
        case Mapping():
            return {
                _key(k, where): _json(v, _below(where, k)) for k, v in value.items()
            }
    kind = type(value).__name__ if not isinstance(value, float) else repr(value)
    msg = (
        f"must be JSON, but `{where}` is a `{kind}`; give numbers, text, True, False,"
        " None, and lists and dicts of them"
    )
    raise ValueError(msg)


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        inside = f" in `{where}`" if where else ""
        msg = f"must be JSON, but the key {key!r}{inside} is not text"
        raise ValueError(msg)  # noqa: TRY004  # pydantic takes no TypeError
    return key


def _below(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _requirements(value: object) -> object:
    value = _path(value)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(line, str) for line in value):
        return tuple(value)
    msg = (
        'must be a list such as ["numpy>=2"], or the path of a requirements file'
        " inside the project"
    )
    raise ValueError(msg)


def _path(value: object) -> object:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _folder_inside(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or path in _ITSELF:
        msg = 'must be a folder inside the project such as "src"'
        raise ValueError(msg)
    return str(path)


_ITSELF = (PurePosixPath(), PurePosixPath("~"))

Class = BeforeValidator(_class)
Name = AfterValidator(_name)
Json = BeforeValidator(_json_object)
Requirements = BeforeValidator(_requirements)
Folder = Annotated[str, BeforeValidator(_path)]
FolderInside = Annotated[Folder, AfterValidator(_folder_inside)]
