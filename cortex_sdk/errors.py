"""Every error that this package raises on purpose.

    CortexError
    ├── InvalidSpecError    a declaration or a project cannot be deployed as written
    ├── UnsupportedError    this target cannot do that
    ├── MissingExtraError   a package that the target needs is not installed
    ├── TargetError         the target cannot be used: port taken, agent gone, disk full
    ├── NotFoundError       the target has no API of that name
    ├── DeployError         the target tried the change, and it failed
    └── PredictError        the API answered a prediction with an error

The message of each is one sentence that names what is wrong and what to do; the
command line prints it alone. Anything else that comes out of this package is a
bug in it, or an exception of the user's own code.
"""

from typing import Any

__all__ = [
    "CortexError",
    "DeployError",
    "InvalidSpecError",
    "MissingExtraError",
    "NotFoundError",
    "PredictError",
    "TargetError",
    "UnsupportedError",
]


class CortexError(Exception):
    """Base of all errors below; `except CortexError` catches each of them.

    Attributes:
        traceback: The frames of the user's own code, or "" where none took part.
    """

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback
        if traceback:
            self.add_note(traceback)

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep what is not in the message when the error is pickled."""
        return type(self), (str(self), self.traceback)

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the user's frames and the sentence, none of ours."""
        return [*self.traceback.splitlines(), f"{type(self).__name__}: {self}"]


class InvalidSpecError(CortexError):
    """A declaration or its project cannot be deployed as written; nothing changed."""


class UnsupportedError(CortexError):
    """The target cannot honour a setting or a verb; nothing was changed."""


class MissingExtraError(CortexError):
    """A package that the target needs is not installed."""


class TargetError(CortexError):
    """The target itself cannot be used: port in use, agent gone, home read-only."""


class NotFoundError(CortexError):
    """The target has no API of that name."""


class DeployError(CortexError):
    """The target tried the change, and it failed; what served before still serves."""


class PredictError(CortexError):
    """The API answered a prediction with an error.

    Attributes:
        status: The HTTP status code, 400 to 599.
        problem: The decoded RFC 9457 body, {} if there was none.
    """

    def __init__(self, message: str, status: int, problem: dict[str, object]) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep what is not in the message when the error is pickled."""
        return type(self), (str(self), self.status, self.problem)
