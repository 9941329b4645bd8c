"""A Kubernetes of one node in namespaces of its own, and how to talk to it."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from e2e.cluster import certificates, cgroups, network, remains, settings
from e2e.cluster.layout import NODE, Layout, acquire

TESTS = Path(__file__).parents[2]
UNSHARE = (
    *("unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork"),
    *("--kill-child", "--mount-proc", "--propagation", "private"),
)
LIMIT = 300.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that runs: its addresses, and the process that all of it hangs on."""

    layout: Layout
    kube: Path
    pid: int

    @property
    def kubeconfig(self) -> Path:
        return self.layout.kubeconfig

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What `kubectl` answers.

        Raises:
            AssertionError: If it fails, with what it said.
        """
        done = subprocess.run(
            [str(self.kube / "kubectl"), f"--kubeconfig={self.kubeconfig}", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.returncode, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def inside(self, *command: str) -> list[str]:
        """The command line that runs another one in the cluster's network."""
        return ["nsenter", f"--target={self.pid}", "--net", "--", *command]

    def load(self, *archives: Path) -> None:
        """Give the node images, as if it had pulled them."""
        for archive in archives:
            self._ctr("images", "import", str(archive))

    def _ctr(self, *arguments: str) -> None:
        address = ("--address", str(self.layout.socket), "--namespace", "k8s.io")
        command = ["ctr", *address, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert not done.returncode, f"ctr {' '.join(arguments)}: {done.stderr}"


@contextmanager
def running(kube: Path, wheels: Path, images: Sequence[Path]) -> Iterator[Cluster]:
    """Bring a cluster up whose node is ready, and take it away without a trace.

    Args:
        kube: Folder of the components of Kubernetes.
        wheels: Folder that the package index of the pods shows.
        images: Archives that the node has when it is ready.
    """
    remains.clear_all()
    claim = acquire()
    try:
        with _node(claim.layout, kube, wheels) as process:
            cluster = Cluster(claim.layout, kube, _first_child(process))
            network.connect(claim.layout, cluster.pid)
            with ThreadPoolExecutor() as beside:
                loading = beside.submit(_load_early, cluster, images)
                _wait_for_node(cluster, process)
                loading.result()
            yield cluster
    finally:
        remains.clear(claim.layout)
        claim.release()


@contextmanager
def _node(
    layout: Layout, kube: Path, wheels: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    _prepare(layout)
    command = [sys.executable, "-m", "e2e.cluster.node", str(layout.index)]
    with (
        (layout.folder / "log" / "node.log").open("wb") as log,
        subprocess.Popen(
            [*UNSHARE, *command, str(kube), str(wheels)],
            cwd=TESTS,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            assert process.stdin
            process.stdin.close()
            process.wait()


def _load_early(cluster: Cluster, images: Sequence[Path]) -> None:
    """Load images while the rest of the node is still starting."""
    _wait(cluster.layout.socket.exists, "containerd")
    cluster.load(*images)


def _prepare(layout: Layout) -> None:
    layout.folder.mkdir(mode=0o755)
    (layout.folder / "log").mkdir()
    certificates.write(layout)
    settings.write(layout)
    cgroups.create(layout.name)


def _first_child(process: "subprocess.Popen[bytes]") -> int:
    parent = psutil.Process(process.pid)
    _wait(lambda: bool(parent.children()), "the namespaces of the node")
    pid: int = parent.children()[0].pid
    return pid


def _wait_for_node(cluster: Cluster, process: "subprocess.Popen[bytes]") -> None:
    def is_ready() -> bool:
        if process.poll() is not None:
            log = (cluster.layout.folder / "log" / "node.log").read_text()
            raise AssertionError(f"the node did not start: {log[-2000:]}")
        return _is_ready(cluster)

    _wait(is_ready, "the node to be ready")


def _is_ready(cluster: Cluster) -> bool:
    path = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
    try:
        return cluster.kubectl("get", "node", NODE, "-o", path) == "True"
    except AssertionError:
        return False


def _wait(claim: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + LIMIT
    while not claim():
        assert time.monotonic() < deadline, f"waited {LIMIT:.0f} s for {what}"
        time.sleep(0.1)
