"""Child processes that get the signals that the foreground gets."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from contextlib import suppress
from pathlib import Path
from typing import IO

# A replica drains on SIGTERM and SIGINT; it knows nothing of terminals that close.
_PASSED_ON = {
    signal.SIGINT: signal.SIGINT,
    signal.SIGTERM: signal.SIGTERM,
    signal.SIGHUP: signal.SIGTERM,
}


class Children:
    """The processes that this one started and will not outlive."""

    def __init__(self) -> None:
        self._running: set[Process] = set()
        self._retired: set[Process] = set()
        self.ending = asyncio.Event()
        """Set as soon as this process was told to end."""
        self._signal = 0
        self.lifeline, self._kept = os.pipe()
        """What the replicas see the end of when this process is killed."""

    def listen(self) -> None:
        """Pass signals on from now on, instead of dying of them."""
        loop = asyncio.get_running_loop()
        for number in _PASSED_ON:
            loop.add_signal_handler(number, self._pass_on, number)

    @property
    def exit_code(self) -> int:
        """Exit code of a process that ended for the signal that came."""
        return 128 + self._signal

    async def start(self, command: list[str], stdout: IO[str] | None = None) -> Process:
        """Start a process that no signal from the terminal reaches directly."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            start_new_session=True,
            pass_fds=(self.lifeline,),
        )
        self._running.add(process)
        if self.ending.is_set():
            self.retire(process)
        return process

    async def wait(self, process: Process) -> int:
        """Wait for the end of a process; its exit code as a shell would give it."""
        code = await process.wait()
        self._running.discard(process)
        return code if code >= 0 else 128 - code

    def retire(self, process: Process) -> None:
        """Ask a process to finish what it has accepted, and to end."""
        self._retired.add(process)
        _send(process, signal.SIGTERM)

    async def abort(self, process: Process) -> None:
        """End a replica at once, and the worker that it has started."""
        for number in (signal.SIGTERM, signal.SIGINT):  # the second one insists
            _send(process, number)
        await self.wait(process)

    def _pass_on(self, number: signal.Signals) -> None:
        again = self.ending.is_set()
        self._signal = number
        self.ending.set()
        # A second signal makes a replica drop its requests: only if the user insists.
        for process in self._running if again else self._running - self._retired:
            _send(process, _PASSED_ON[number])


def _send(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(number)


async def prepared(children: Children, app: str, folder: Path, key: Path) -> int:
    """Load `app` in a process of its own; 0 when the parts of it are in `folder`."""
    module = "cortex_sdk.cli.serving.prepare"
    arguments = [app, str(folder), str(key)]
    command = [sys.executable, "-P", "-m", module, *arguments]
    # What a user's file prints while it is imported is not the output of `serve`.
    process = await children.start(command, stdout=sys.stderr)
    try:
        return await children.wait(process)
    except asyncio.CancelledError:
        process.kill()
        raise
