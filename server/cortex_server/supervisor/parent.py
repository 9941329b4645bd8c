"""Whoever started a replica in the foreground, and may be killed before it ends."""

import os
import signal
from pathlib import Path
from threading import Thread


class Parent:
    """Ends this process as a signal would when the one that started it is gone.

    Args:
        lifeline: Descriptor that nobody writes to and that ends with the parent; None
            for a replica that stays whatever becomes of who started it.
        folder: What the parent would have removed.
    """

    def __init__(self, lifeline: int | None, folder: Path | None) -> None:
        self._folder = folder
        self._is_gone = False
        if lifeline is not None:
            Thread(target=self._follow, args=(lifeline,), daemon=True).start()

    def _follow(self, lifeline: int) -> None:
        os.read(lifeline, 1)
        self._is_gone = True
        os.kill(os.getpid(), signal.SIGTERM)

    def clean_up(self) -> None:
        """Remove what a parent that is gone cannot."""
        if self._is_gone and self._folder is not None:
            import shutil  # noqa: PLC0415  # a start need not wait for it

            shutil.rmtree(self._folder, ignore_errors=True)
