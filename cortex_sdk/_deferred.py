"""Declarations that are not made before somebody asks for something in them.

A replica imports the file of its predictor, which declares an API as well. It has no
use for that, and would be up a third later if it checked it once more.
"""

import importlib
import os
from typing import Any

from cortex_sdk._inert import Inert
from cortex_server.manifest import LOADING_IN_REPLICA, LOADING_VARIABLE

_VERBS = ("deploy", "deployment", "preview")


def is_replica() -> bool:
    """Whether this process loads a file only for the predictor in it."""
    return os.environ.get(LOADING_VARIABLE) == LOADING_IN_REPLICA


class Deferred:
    """A declared value: what it was given, until it is asked for more."""

    _home: str
    """Module of the class that it stands for."""

    def __init__(self, *arguments: object, **fields: object) -> None:
        self._given = (arguments, fields)
        self._made: Any = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the value has
        if name.startswith("__"):
            raise AttributeError(name)
        if name in _VERBS and is_replica():
            return lambda *_, **__: Inert(name)
        return getattr(self._value(), name)

    def _value(self) -> Any:  # noqa: ANN401  # of the class that it stands for
        if self._made is None:
            cls = getattr(importlib.import_module(self._home), type(self).__name__)
            arguments, fields = self._given
            made = {name: _plain(value) for name, value in fields.items()}
            self._made = cls(*map(_plain, arguments), **made)
        return self._made


def _plain(value: Any) -> Any:  # noqa: ANN401  # any value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return value._value() if isinstance(value, Deferred) else value  # noqa: SLF001  # its own


def deferred(name: str, home: str, package: str = "declaration") -> type[Deferred]:
    """A class that stands for the one of this name in a module."""
    return type(name, (Deferred,), {"_home": f"cortex_sdk.{package}.{home}"})
