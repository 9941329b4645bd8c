import os
import socket
import sys

import pytest

from cortex_sdk.kubernetes.engine import locks
from cortex_sdk.kubernetes.engine.locks import Lock

SAID = """
 code: 255
 stdout:
 stderr: error: the stack is currently locked by 2 lock(s). Either wait for the other \
process(es) to end or delete the lock file with `pulumi cancel`.
  file:///h/state/.pulumi/locks/organization/cortex/iris/5c.json: created by \
ann@box (pid 71) at 2026-11-27T22:00:00Z
  s3://b/.pulumi/locks/organization/cortex/iris/6d.json: created by \
bob b@laptop.local (pid 8) at 2026-11-27T21:00:00+01:00
"""


def lock(host: str = "", pid: int = 0) -> Lock:
    return Lock("file:///x.json", "ann", host or socket.gethostname(), pid, "")


def test_each_lock_of_an_error_is_read() -> None:
    first, second = locks.parse(SAID)

    assert (first.user, first.host, first.pid) == ("ann", "box", 71)
    assert first.since == "2026-11-27T22:00:00Z"
    assert str(first.file).endswith(
        "/h/state/.pulumi/locks/organization/cortex/iris/5c.json"
    )
    assert (second.user, second.host, second.pid) == ("bob b", "laptop.local", 8)
    assert second.file is None


def test_an_error_about_something_else_names_no_lock() -> None:
    assert locks.parse("error: no stack named 'iris' found") == ()


def test_a_lock_of_a_process_that_is_no_pulumi_is_stale() -> None:
    assert lock(pid=os.getpid()).is_stale, sys.executable


def test_a_lock_of_another_machine_is_never_stale() -> None:
    assert not lock(host="elsewhere", pid=os.getpid()).is_stale


def test_a_process_that_cannot_be_looked_at_counts_as_pulumi(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(locks, "_command", lambda _: "pulumi")

    assert not lock(pid=os.getpid()).is_stale
