"""What is said of hooks that did not run."""

import asyncio
from contextvars import Context
from traceback import format_exception_only
from typing import Any

import structlog

from cortex_server.worker.call import current
from cortex_server.worker.hook_workers import Run, TimeLimitError
from cortex_server.worker.user_code import own_frames

SECONDS_BETWEEN = 5.0
"""How often drops are told at most."""


def failed(run: Run, error: BaseException) -> None:
    """A run has failed for good."""
    current.set(run.call)
    logger = structlog.get_logger().bind(hook=run.hook.method.name)
    if isinstance(error, TimeLimitError):
        logger.error("post_predict timed out", reason=str(error))
        return
    told: Any = own_frames(error)
    logger.error("post_predict failed", exc_info=told)


def failed_for_now(run: Run, error: BaseException, seconds: float) -> None:
    """A run has failed, and is tried again."""
    current.set(run.call)
    structlog.get_logger().warning(
        "post_predict failed, trying again",
        hook=run.hook.method.name,
        error=format_exception_only(error)[-1].strip(),
        retry=run.retries,
        seconds=round(seconds, 3),
    )


def left_over(number: int) -> None:
    """The time to drain is over."""
    structlog.get_logger().error(
        "post_predict calls dropped",
        number=number,
        reason="the time to drain was over",
    )


class Drops:
    """Says how many found no room: once in a while, not for each."""

    def __init__(self) -> None:
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self) -> None:
        """One more."""
        self._number += 1
        if self._timer is None:
            # The context is empty: it is not about one request.
            self._timer = asyncio.get_running_loop().call_later(
                SECONDS_BETWEEN, self.tell, context=Context()
            )

    def tell(self) -> None:
        """Say how many since the last time, unless there were none."""
        if not self._number:
            return
        structlog.get_logger().warning(
            "post_predict calls dropped",
            number=self._number,
            reason="the queue was full",
        )
        self._number, self._timer = 0, None
