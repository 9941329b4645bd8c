"""The part of the machine's cgroups that a cluster may use."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
# A pod without requests gets next to nothing beside the machine's other processes,
# unless all pods together have a large share.
SHARES = {"cpu.shares": "102400", "cpu.weight": "10000"}


def create(name: str) -> None:
    """Make the cgroup under which the kubelet puts its pods."""
    for parent in hierarchies():
        folder = parent / name
        folder.mkdir(exist_ok=True)
        if parent.name == "cpuset":
            _inherit(parent, folder)
        if (control := parent / "cgroup.subtree_control").exists():
            _delegate(control)
            _delegate(folder / "cgroup.subtree_control")
        for file, share in SHARES.items():
            if (folder / file).exists():
                (folder / file).write_text(share)


def remove(name: str) -> None:
    """Remove it and what was left in it."""
    for parent in hierarchies():
        if (folder := parent / name).is_dir():
            _kill(folder)
            for child in sorted(folder.rglob("*/"), reverse=True):
                _rmdir(child)
            _rmdir(folder)


def hierarchies() -> list[Path]:
    """Of version 1 one for each controller, of version 2 one for all."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT]
    mounted = {child.resolve() for child in ROOT.iterdir() if child.is_dir()}
    return sorted(mounted - {ROOT / "unified"})


def _inherit(parent: Path, folder: Path) -> None:
    """On v1 a new cgroup may use no processor until it is told which."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        (folder / name).write_text((parent / name).read_text())


def _delegate(control: Path) -> None:
    control.write_text(" ".join(f"+{name}" for name in CONTROLLERS))


def _kill(folder: Path) -> None:
    for processes in folder.rglob("cgroup.procs"):
        for pid in processes.read_text().split():
            _end(int(pid))


def _end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _rmdir(folder: Path) -> None:
    """The kernel takes a moment to forget processes that ended."""
    for _ in range(100):
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    folder.rmdir()
