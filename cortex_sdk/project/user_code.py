"""What went wrong in a file of the user's, in one sentence and their own frames."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cortex_sdk.errors import CortexError, InvalidSpecError
from cortex_sdk.project.script import is_installed

# Those of our users' modules that are installed by another name.
_PACKAGES = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
_OURS = Path(__file__).resolve().parents[1]


@contextmanager
def user_code(name: str) -> Iterator[None]:
    """Turn whatever the block raises while it imports `name` into a sentence.

    Raises:
        InvalidSpecError: The block raised; `traceback` has the frames of the user's.
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        msg = f"{_where(name, error)}: {_reason(error)}"
        told = "" if isinstance(error, CortexError) else user_traceback(error)
        raise InvalidSpecError(msg, told) from error


def user_traceback(error: BaseException) -> str:
    """An exception as Python prints it, with the frames of the user's code only."""
    told = traceback.TracebackException.from_exception(error)
    pending: list[traceback.TracebackException | None] = [told]
    while pending:
        if (part := pending.pop()) is not None:
            part.stack[:] = [frame for frame in part.stack if _is_of_user(frame)]
            pending += [part.__cause__, part.__context__]
    return "".join(told.format())


def _is_of_user(frame: traceback.FrameSummary) -> bool:
    path = Path(frame.filename)
    return path.is_file() and not (
        is_installed(path.resolve()) or path.resolve().is_relative_to(_OURS)
    )


def _where(name: str, error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"`{Path(error.filename).name}`, line {error.lineno}"
    frames = filter(_is_of_user, traceback.extract_tb(error.__traceback__))
    last = list(frames)[-1:]
    return f"`{Path(last[0].filename).name}`, line {last[0].lineno}" if last else name


def _reason(error: BaseException) -> str:
    match error:
        case CortexError():
            return str(error)
        case SystemExit():
            return (
                'it ends the program; put that line under `if __name__ == "__main__":`'
            )
        case ModuleNotFoundError(name=str(name)):
            module = name.partition(".")[0]
            package = _PACKAGES.get(module, module)
            return (
                f"there is no module `{name}`; run `pip install {package}`, and name"
                " it in `requirements` if there are any"
            )
        case SyntaxError():
            return error.msg
        case _:
            first = str(error).partition("\n")[0]
            return f"{type(error).__name__}: {first}" if first else type(error).__name__
