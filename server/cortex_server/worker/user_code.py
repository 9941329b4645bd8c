"""The one boundary around the user's code, and how its failures are told."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from cortex_server.manifest import StartFailure

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

_OUR_PACKAGES = ("cortex_server", "asyncio", "concurrent")


class StartError(Exception):
    """The predictor could not be started; `failure` says why, in the user's terms."""

    def __init__(self, failure: StartFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@contextmanager
def user_code(what: str, root: Path) -> Iterator[None]:
    """Run code of the user's while starting: whatever it raises is a StartError.

    Args:
        what: What runs, as the subject of a sentence: "`Iris.__init__`".
        root: Where the user's files are.
    """
    try:
        yield
    except BaseException as error:
        message = f"{what} raised {_name(error)}{_hint(error)}"
        failure = StartFailure(message=message, traceback=user_traceback(error, root))
        raise StartError(failure) from error


def own_frames(
    error: BaseException,
) -> tuple[type, BaseException, TracebackType | None]:
    """Exception info for a log that begins where the user's code was entered."""
    frames = error.__traceback__
    while frames and _package(frames) in _OUR_PACKAGES:
        frames = frames.tb_next
    return type(error), error, frames or error.__traceback__


def _package(frames: TracebackType) -> str:
    name: str = frames.tb_frame.f_globals.get("__name__", "")
    return name.partition(".")[0]


def user_traceback(error: BaseException, root: Path) -> str:
    """The traceback as Python prints it, with frames of the user's own files only."""
    told = traceback.TracebackException.from_exception(error)
    seen: set[int] = set()
    _keep_user_frames(told, f"{root.resolve()}/", seen)
    return "".join(told.format()).rstrip()


def _keep_user_frames(
    told: traceback.TracebackException, root: str, seen: set[int]
) -> None:
    if id(told) in seen:
        return
    seen.add(id(told))
    frames = [frame for frame in told.stack if _is_users(frame.filename, root)]
    for frame in frames:
        frame.filename = frame.filename.removeprefix(root)
    told.stack = traceback.StackSummary.from_list(frames)
    if filename := getattr(told, "filename", None):  # of a SyntaxError
        told.filename = filename.removeprefix(root)
    for other in (told.__cause__, told.__context__, *(told.exceptions or ())):
        if other is not None:
            _keep_user_frames(other, root, seen)


def _is_users(filename: str, root: str) -> bool:
    """A file of the project, or a notebook cell, whose file exists nowhere here."""
    in_project = filename.startswith(root) and "/site-packages/" not in filename
    return in_project or "ipykernel" in filename or filename.startswith("<ipython")


def _name(error: BaseException) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _hint(error: BaseException) -> str:
    if not isinstance(error, ModuleNotFoundError):
        return ""
    return "; install it, or name its package in `requirements`"
