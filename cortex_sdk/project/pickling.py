"""A class from a notebook as bytes that another process can load."""

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


def pickled(predictor: type) -> bytes:
    """Pickle a class by value, with the globals it refers to.

    Raises:
        InvalidSpecError: It refers to something that cannot be pickled.
    """
    buffer = io.BytesIO()
    try:
        _Pickler(buffer).dump(predictor)
    except Exception as error:  # objects of the user's pickle themselves
        raise cannot_travel(predictor, error) from error
    return buffer.getvalue()


def cannot_travel(predictor: type, error: Exception) -> InvalidSpecError:
    """The error for a class that refers to something that cannot be pickled."""
    reason = str(error).partition("\n")[0] or type(error).__name__
    return InvalidSpecError(
        f"`{predictor.__qualname__}` refers to something that cannot go along with it"
        f" ({reason}); create it in `__init__`, or move the class to a Python file"
    )


def resolve_hints(predictor: type) -> None:
    """Replace hints that are text: names in a text do not travel, classes do."""
    for name in _METHODS:
        method = vars(predictor).get(name)
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
