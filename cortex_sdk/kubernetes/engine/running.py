"""One run of the CLI: events are shown, and the run is stopped, by the caller's thread.

Pulumi works in threads of its own. Everything that belongs to the caller (progress,
Ctrl-C, the wish to give up) happens here, in the thread that asked for the run; a
notebook's event loop is not touched.
"""

import contextvars
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from pulumi.automation.events import EngineEvent

from cortex_sdk._target import Progress
from cortex_sdk.errors import DeployError
from cortex_sdk.kubernetes.engine import words
from cortex_sdk.kubernetes.engine.command import Command
from cortex_sdk.kubernetes.engine.interrupts import Interrupts, counted
from cortex_sdk.kubernetes.engine.record import Record
from cortex_sdk.kubernetes.engine.stopping import Stopping

OnEvent = Callable[[EngineEvent], None]
Abort = Callable[[], str | None]
_TICK = 0.1
_ABORT_EVERY = 1.0
_LATE = 2.0
"""Seconds that events may come after the CLI has ended."""


class Run:
    """One run, and what is known of it afterwards."""

    def __init__(
        self, command: Command, progress: Progress, abort: Abort | None = None
    ) -> None:
        self.record = Record()
        self.error: Exception | None = None
        self._progress: Progress | None = progress
        self._abort = abort
        self._asked = time.monotonic()
        self._events: queue.SimpleQueue[EngineEvent] = queue.SimpleQueue()
        self._stopping = Stopping(command, self._say)
        self._reason: str | None = None

    def go(self, work: Callable[[OnEvent], object]) -> None:
        """Do the work to its end; what it raised is in `error`.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed; the run ended in good order.
            DeployError: `abort` gave a reason to.
        """
        context = contextvars.copy_context()
        # A daemon: after a run that was ended by force nothing may hold up the exit.
        worker = threading.Thread(
            target=context.run, args=(self._work, work), daemon=True
        )
        with counted() as interrupts:
            worker.start()
            try:
                self._watch(worker, interrupts)
            except BaseException:
                self._progress = None  # that may be what failed
                self._stopping.want(1)
                self._see_to_end(worker)
                raise
        self._take_late_events()
        if interrupts.count:
            self._say("stopped; the next run goes on from here")
            raise KeyboardInterrupt
        if self._reason is not None and self.error is not None:
            raise DeployError(self._reason)

    def _work(self, work: Callable[[OnEvent], object]) -> None:
        try:
            work(self._events.put)
        except Exception as error:  # noqa: BLE001  # handed to the thread that asked
            self.error = error

    def _watch(self, worker: threading.Thread, interrupts: Interrupts) -> None:
        while worker.is_alive():
            self._take(_TICK)
            self._stopping.want(interrupts.count)
            self._ask_abort()
            self._stop()

    def _see_to_end(self, worker: threading.Thread) -> None:
        """Wait for a run whose caller failed; nobody watches it any more."""
        while worker.is_alive():
            self._take(_TICK)
            self._stop()

    def _stop(self) -> None:
        self._stopping.go_on(
            is_ready=self.record.is_started, is_ended=self.record.is_ended
        )

    def _ask_abort(self) -> None:
        now = time.monotonic()
        if self._abort is None or self._reason or now - self._asked < _ABORT_EVERY:
            return
        self._asked = now
        self._reason = self._abort()
        if self._reason is not None:
            self._stopping.want(1, f"giving up: {self._reason}")

    def _take(self, timeout: float) -> None:
        with suppress(queue.Empty):
            event = self._events.get(timeout=timeout)
            while True:
                self._handle(event)
                event = self._events.get_nowait()

    def _take_late_events(self) -> None:
        """The end of the CLI may overtake its last events."""
        deadline = time.monotonic() + _LATE
        self._take(0)
        while self.record.is_started and not self.record.is_ended:
            if time.monotonic() > deadline:
                return
            self._take(_TICK)

    def _handle(self, event: EngineEvent) -> None:
        self.record.add(event)
        line = words.line(event)
        if line is not None and not self._stopping.is_wanted:
            self._say(line)

    def _say(self, line: str) -> None:
        if self._progress is not None:
            self._progress(line)
