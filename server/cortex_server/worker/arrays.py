"""Arrays of numpy in type hints, without importing numpy.

A hint that names an array is the proof that the user's code has it.
"""

import sys
import typing
from typing import Any

Hint = Any

ANY = "any"
MARK = "x-array"
"""Key of a JSON schema that says "an array", with the name of its type or ANY."""


def numpy() -> Any | None:  # noqa: ANN401  # a module that may be missing
    """The module, if somebody has imported it."""
    return sys.modules.get("numpy")


def origin_of(hint: Hint) -> Any:  # noqa: ANN401  # list of list[int]
    """What a generic type is made of, None of any other."""
    return typing.get_origin(hint)


def is_array(hint: Hint) -> bool:
    """Whether a type hint means an array of numpy's."""
    module = numpy()
    return module is not None and (origin_of(hint) or hint) is module.ndarray
