"""Ctrl-C while a run goes on: counted, so that the run can end in good order."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass(slots=True)
class Interrupts:
    """How often Ctrl-C was pressed."""

    count: int = 0


@contextmanager
def counted() -> Iterator[Interrupts]:
    """Count Ctrl-C instead of raising KeyboardInterrupt.

    Only the main thread can: elsewhere it stays with whoever handles it.
    """
    interrupts = Interrupts()

    def another(_number: int, _frame: FrameType | None) -> None:
        interrupts.count += 1

    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = signal.signal(signal.SIGINT, another)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)
