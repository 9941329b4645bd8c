"""Loading a file of the user's without deploying anything.

While a replica, or the command line, imports a file to find what it declares, the
verbs of every object in it do nothing. So a script that ends in `.deploy("local")`
serves on every target, with or without a guard.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from cortex_sdk.errors import CortexError
from cortex_server.manifest import LOADING_VARIABLE


def is_loading() -> bool:
    """Whether a file is being imported only to find what it declares."""
    return LOADING_VARIABLE in os.environ


@contextmanager
def loading() -> Iterator[None]:
    """Turn the verbs off while the block runs."""
    os.environ[LOADING_VARIABLE] = "1"
    try:
        yield
    finally:
        os.environ.pop(LOADING_VARIABLE, None)


class Inert:
    """What a verb returns while a file is loaded: using it says what to do."""

    def __init__(self, verb: str) -> None:
        object.__setattr__(self, "_verb", verb)

    def _refuse(self, *_: object) -> NoReturn:
        msg = (
            f"`{self._verb}` does nothing while this file is loaded to find its"
            " predictor, so its result cannot be used; put the lines that use it"
            ' under `if __name__ == "__main__":`'
        )
        raise CortexError(msg)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # never returns
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        self._refuse()

    __iter__ = __len__ = __bool__ = __getitem__ = __call__ = _refuse
    __enter__ = __add__ = __eq__ = __lt__ = __gt__ = __str__ = _refuse
    __hash__ = None  # type: ignore[assignment]  # compared means used
