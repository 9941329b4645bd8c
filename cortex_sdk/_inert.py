"""What a verb returns while a file is loaded only to find what it declares."""

from typing import Any, NoReturn

from cortex_sdk.errors import CortexError


class Inert:
    """Stands in for the result of a verb: using it says what to do."""

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
