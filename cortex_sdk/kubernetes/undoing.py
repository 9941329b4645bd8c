"""Going back after a change that failed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from cortex_sdk._target import Progress
from cortex_sdk.errors import CortexError

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.engine import Engine


def undo(
    engine: "Engine",
    stack: str,
    before: Callable[[], None] | None,
    said: str,
    progress: Progress,
) -> None:
    """What served serves on, and nothing half-done stays.

    Args:
        engine: What tried the change.
        stack: Of what was changed.
        before: The program that had run last, None where there was nothing.
        said: What going back to that is called.
        progress: Told also when going back fails, which is no second error.
    """
    try:
        if before is None:
            progress("taking away what was made")
            engine.destroy(stack, progress)
        else:
            progress(said)
            engine.up(stack, before, progress)
    except CortexError as error:
        progress(f"going back failed too: {error}")
