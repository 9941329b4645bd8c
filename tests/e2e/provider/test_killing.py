"""An engine that is killed in the middle of its work, and the next one."""

import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from e2e.provider import pods
from e2e.provider.control_plane import ControlPlane
from e2e.provider.manifests import manifests, only
from e2e.provider.stacks import Stack
from pulumi import automation

pytestmark = pytest.mark.timeout(900)
LIMIT = 300.0  # seconds for anything to happen


def until(happened: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LIMIT
    while not (found := happened()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
    return found


def engines() -> list[psutil.Process]:
    mine = psutil.Process().children(recursive=True)
    return [one for one in mine if one.name() == "pulumi" and "up" in one.cmdline()]


def plugins() -> list[psutil.Process]:
    mine = psutil.Process().children(recursive=True)
    return [one for one in mine if "e2e.provider" in one.cmdline()]


def test_the_next_run_repairs_what_a_killed_engine_left_behind(
    plane: ControlPlane, stack: Stack
) -> None:
    stack.configure = {"upsert_existing_objects": True, "enable_patch_force": True}
    few = only(manifests("killed"), "space", "keys", "web")
    failed: list[Exception] = []

    def work() -> None:
        try:
            stack.up(few)
        except automation.CommandError as error:
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    until(lambda: "killed" in plane.names("namespace"))
    until(lambda: "web" in plane.names("deployment", "killed"))
    helpers = plugins()
    assert helpers
    for engine in engines():
        engine.send_signal(signal.SIGKILL)
    thread.join(LIMIT)
    assert failed
    until(lambda: not any(one.is_running() for one in helpers))

    left = stack.select(few)
    left.cancel()  # the lock of the dead engine
    with pods.made_ready(plane):
        left.refresh(color="never", clear_pending_creates=True)
        stack.up(few)
        assert plane.get("deployment", "web", "killed")["status"]["readyReplicas"] == 2
        assert stack.up(few)[0] == {}
        stack.select(few).destroy(color="never")
    assert "killed" not in plane.names("namespace")
