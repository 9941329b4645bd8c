"""The first process in the namespaces of a cluster; when it ends, all of it ends.

Run as `python -m e2e.cluster.node INDEX FOLDER_OF_KUBE WHEELS`, with a pipe as its
standard input: it lives until the other end of the pipe is closed, which the kernel
does even for a test run that is killed.
"""

import os
import select
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from e2e.cluster import components, network
from e2e.cluster.layout import Layout

# What the kubelet would set for the whole machine: it finds these values here.
KERNEL = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def main() -> None:
    """Start everything, then wait for the end."""
    index, kube, wheels = sys.argv[1:]
    layout = Layout(int(index))
    _isolate(layout)
    network.inside(layout)
    running = _start(layout, Path(kube), wheels)
    while not _is_over():
        _reap(layout, running)


def _isolate(layout: Layout) -> None:
    """Give the components folders of their own where they insist on a path."""
    for path in ("/run", "/var/log"):
        _mount("-t", "tmpfs", "tmpfs", path)
    layers = [layout.folder / f"var-lib-{part}" for part in ("upper", "work")]
    for layer in layers:
        layer.mkdir()
    options = f"lowerdir=/var/lib,upperdir={layers[0]},workdir={layers[1]}"
    _mount("-t", "overlay", "-o", options, "overlay", "/var/lib")
    for name, value in KERNEL.items():
        file = Path("/run") / name.replace("/", ".")
        file.write_text(value + "\n")
        _mount("--bind", str(file), f"/proc/sys/{name}")


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _start(layout: Layout, kube: Path, wheels: str) -> dict[int, str]:
    """Start the components in their order; their names by process."""
    index = ["-m", "http.server", "8099", "--bind", layout.node, "--directory", wheels]
    early = {
        "etcd": components.etcd(),
        "containerd": components.containerd(layout),
        "kube-apiserver": components.api_server(layout, kube),
        "packages": [sys.executable, *index],
    }
    late = {
        "kube-controller-manager": components.controller_manager(layout, kube),
        "kube-scheduler": components.scheduler(layout, kube),
        "kubelet": components.kubelet(layout, kube),
        "kube-proxy": components.proxy(layout, kube),
    }
    running = {_spawn(layout, name, early[name]): name for name in early}
    while not (layout.socket.exists() and _serves(layout)):
        _reap(layout, running)
        if _is_over():
            sys.exit()
    return running | {_spawn(layout, name, late[name]): name for name in late}


def _spawn(layout: Layout, name: str, command: list[str]) -> int:
    """Start a process that writes a log; not by subprocess, which reaps on its own."""
    log = str(layout.folder / "log" / f"{name}.log")
    writing = os.O_WRONLY | os.O_CREAT
    files = (
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, writing, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    )
    environment = {"PATH": SEARCHED, "HOME": "/run"}
    return os.posix_spawnp(
        command[0], command, environment, file_actions=files, setsid=True
    )


def _serves(layout: Layout) -> bool:
    trusted = ssl.create_default_context(cafile=layout.folder / "pki" / "ca.crt")
    with suppress(urllib.error.URLError, TimeoutError, ConnectionError):
        url = f"{layout.api}/readyz"
        with urllib.request.urlopen(url, timeout=1, context=trusted):
            return True
    return False


def _reap(layout: Layout, running: dict[int, str]) -> None:
    """Collect what ended: orphans are ours, and a component must not end."""
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if name := running.get(ended[0]):
                code = os.waitstatus_to_exitcode(ended[1])
                sys.exit(f"{name} exited with {code}: {_last_words(layout, name)}")


def _last_words(layout: Layout, name: str) -> str:
    log = layout.folder / "log" / f"{name}.log"
    return log.read_text(errors="replace")[-1500:]


def _is_over() -> bool:
    """Whether nobody wants this cluster any more; waits a little for an answer."""
    return bool(select.select([sys.stdin], [], [], 0.1)[0])


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
