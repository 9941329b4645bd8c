"""Classes and functions from a notebook as bytes that another process can load."""

import functools
import io
import operator
import types
import typing
from typing import Any

import cloudpickle

from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.project.script import MAIN_NAMES

_METHODS = ("__init__", "predict", "predict_batch", "post_predict")


Thing = type | types.FunctionType


def pickled(*things: Thing) -> bytes:
    """Pickle classes and functions by value, one after another.

    The globals that they refer to go along; what several refer to stays one object.

    Raises:
        InvalidSpecError: One refers to something that cannot be pickled.
    """
    buffer = io.BytesIO()
    pickler = _Pickler(buffer)
    for thing in things:
        try:
            pickler.dump(thing)
        except Exception as error:  # objects of the user's pickle themselves
            raise cannot_travel(thing, error) from error
    return buffer.getvalue()


def cannot_travel(thing: Thing, error: Exception) -> InvalidSpecError:
    """The error for something that refers to what cannot be pickled."""
    reason = str(error).partition("\n")[0] or type(error).__name__
    where, kind = "in `__init__`", "class"
    if not isinstance(thing, type):
        where, kind = "in the function", "function"
    return InvalidSpecError(
        f"`{thing.__qualname__}` refers to something that cannot go along with it"
        f" ({reason}); create it {where}, or move the {kind} to a Python file"
    )


def resolve_hints(thing: Thing) -> None:
    """Replace hints that are text: names in a text do not travel, classes do."""
    is_class = isinstance(thing, type)
    methods = [vars(thing).get(name) for name in _METHODS] if is_class else [thing]
    for method in methods:
        if not isinstance(method, types.FunctionType):
            continue
        if any(isinstance(hint, str) for hint in method.__annotations__.values()):
            method.__annotations__ = typing.get_type_hints(method, include_extras=True)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # it has no types
    """Also pickles by value what cloudpickle leaves as a name in `__main__`."""

    def reducer_override(self, obj: Any) -> Any:  # noqa: ANN401  # any object
        """How to make an object again, NotImplemented for the usual way."""
        kind = functools._lru_cache_wrapper  # noqa: SLF001  # it has no other name
        if isinstance(obj, kind) and obj.__module__ in MAIN_NAMES:
            decorator = functools.lru_cache(**obj.cache_parameters())
            return operator.call, (decorator, obj.__wrapped__)
        return super().reducer_override(obj)
