"""Looking at what runs in a home, killing it, and waiting for what follows."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

import psutil
from integration.conftest import end_all, processes_of

from cortex_sdk.local.home import Home

_LIMIT = 30.0


class Machine:
    """The processes of one home."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def agents(self) -> set[int]:
        return self._pids("cortex_sdk.local")

    def replicas(self) -> set[int]:
        return self._pids("cortex_server")

    def workers(self) -> set[int]:
        return self._pids("cortex_server.worker")

    def gateways(self) -> set[int]:
        return self._pids("--config-path")

    def all(self) -> set[int]:
        return {process.pid for process in processes_of(self._home.root)}

    def crash(self) -> None:
        """End everything at once, as when the power goes."""
        end_all(self._home.root)

    def _pids(self, argument: str) -> set[int]:
        found = set()
        for process in processes_of(self._home.root):
            with suppress(psutil.Error):  # it has just ended
                if argument in process.cmdline():
                    found.add(process.pid)
        return found


def kill(pids: set[int]) -> None:
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def wait_for(condition: Callable[[], bool], limit: float = _LIMIT) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "this did not come about in time"
        time.sleep(0.02)
