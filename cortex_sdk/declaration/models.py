"""Which models a predictor asks for by name, where they are, and how many are kept."""

import os
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Annotated, Self
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from cortex_sdk.declaration.units import Bytes, Seconds
from cortex_sdk.declaration.value import Value
from cortex_server.interface import Interface, Method


def _as_text(value: object) -> object:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _place(value: str) -> str:
    if "://" in value:
        if urlsplit(value).password is not None:
            msg = "must not have a password in it; put it into `secrets`"
            raise ValueError(msg)
        return value
    if value.startswith("~"):
        return os.path.expanduser(value)  # noqa: PTH111  # text, as it was given
    if not value or ".." in PurePosixPath(value).parts:
        msg = "must be a path inside the project, an absolute path, or a URL"
        raise ValueError(msg)
    return value


Place = Annotated[str, BeforeValidator(_as_text), AfterValidator(_place)]


class ModelPath(Value):
    """One model of several."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
    """Name that the predictor asks for."""
    path: Place
    """Its file or folder: a path inside the project, an absolute path, or a URL. A
    folder with nothing but sub-folders named 1, 2, 3 and so on holds versions."""
    signature_key: str | None = None
    """Signature of a TensorFlow model; unset, `serving_default` or its only one."""


class Models(Value):
    """The models that the predictor asks for by name; exactly one of three sources.

    A path inside the project goes along with it. An absolute path is read where the
    replica runs: on this machine by a local one, in its container by a pod. A URL is
    of any kind that fsspec knows, such as s3://, gs:// or https://.
    """

    path: Place | None = None
    """One model: a file, a folder, or a URL; named as the last part without suffix."""
    paths: tuple[ModelPath, ...] | None = None
    """Several models by name."""
    dir: Place | None = None
    """A folder or URL in which each sub-folder, or file, is a model of that name."""
    signature_key: str | None = None
    """Signature of TensorFlow models that name none of their own."""
    cache_size: Annotated[int, Field(ge=1)] | None = None
    """Most models in memory, in each process; the least recently used goes first.
    With neither limit, all stay and are loaded before the first request."""
    cache_bytes: Annotated[Bytes, Field(ge=1)] | None = None
    """Most bytes of models in memory, such as "4Gi", counted as their files have."""
    disk_cache_size: Annotated[int, Field(ge=1)] | None = None
    """Most downloaded models on disk, at least `cache_size`; unset, all."""
    disk_cache_bytes: Annotated[Bytes, Field(ge=1)] | None = None
    """Most bytes of downloaded models on disk, at least `cache_bytes`; unset, any."""
    reload_interval: Annotated[Seconds, Field(ge=0.1)] = 10.0
    """Seconds between two looks for new versions, at least 0.1."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(source is not None for source in (self.path, self.paths, self.dir)) != 1:
            msg = "exactly one of path, paths and dir must be given"
            raise ValueError(msg)
        if self.paths is not None and not self.paths:
            msg = "paths must name at least one model"
            raise ValueError(msg)
        names = [model.name for model in self.paths or ()]
        if len(set(names)) < len(names):
            msg = f"the names in paths must differ, got {', '.join(names)}"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _caches_agree(self) -> Self:
        for unit in ("size", "bytes"):
            memory = getattr(self, f"cache_{unit}")
            disk = getattr(self, f"disk_cache_{unit}")
            if memory is not None and disk is not None and memory > disk:
                msg = (
                    f"cache_{unit} must be at most disk_cache_{unit} ({disk}),"
                    f" not {memory}"
                )
                raise ValueError(msg)
        return self


def check_asked(
    predictor: str, models: Models | None, interface: Interface, hooks: Iterable[Method]
) -> None:
    """Raise a ValueError unless models are declared just where they are asked for."""
    asks = interface.asks_for("models", hooks)
    if asks and models is None:
        msg = f"`{predictor}` asks for `models`; declare them, `models=Models(...)`"
        raise ValueError(msg)
    if models is not None and not asks:
        msg = f"models are declared, but no method of `{predictor}` takes `models`"
        raise ValueError(msg)


def name_of(place: str) -> str:
    """The name of a model that was given by its place alone."""
    path = unquote(urlsplit(place).path) if "://" in place else place
    return PurePosixPath(path).stem or "model"
