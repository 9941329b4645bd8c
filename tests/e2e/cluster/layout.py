"""What a cluster is called, where it keeps its files, and its addresses."""

import ipaddress
import json
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from e2e.toolchain.errors import Unavailable

MOST = 16
NODE = "node1"


@dataclass(frozen=True, slots=True)
class Layout:
    """One of a few places for a cluster on this machine; `index` tells them apart."""

    index: int

    @property
    def name(self) -> str:
        """Of its cgroup and of its end of the cable to the host."""
        return f"cortex-e2e{self.index}"

    @property
    def folder(self) -> Path:
        """Everything it writes. Short, since sockets are in it."""
        return Path(tempfile.gettempdir()) / self.name

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "admin.conf"

    @property
    def socket(self) -> Path:
        """Where containerd listens."""
        return self.folder / "containerd.sock"

    @property
    def nodes(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network(f"10.200.{self.index}.0/24")

    @property
    def pods(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network(f"10.201.{self.index}.0/24")

    @property
    def services(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network(f"10.202.{self.index}.0/24")

    @property
    def node(self) -> str:
        """The address of the only node."""
        return str(self.nodes[1])

    @property
    def host(self) -> str:
        """The address of this machine as the node sees it."""
        return str(self.nodes[254])

    @property
    def dns(self) -> str:
        return str(self.services[10])

    @property
    def api(self) -> str:
        return f"https://{self.node}:6443"

    @property
    def packages(self) -> str:
        """The Python package index that pods reach."""
        return f"http://{self.node}:8099/simple"


@dataclass(frozen=True, slots=True)
class Claim:
    """A layout that nobody else has, for as long as this process lives.

    The lock is a name that the kernel gives back when its owner dies, so that
    nothing stays behind, not even a file.
    """

    layout: Layout
    lock: socket.socket

    def release(self) -> None:
        self.lock.close()


def free() -> Iterator[Claim]:
    """Claim one layout after the other that nobody uses; the caller releases them."""
    for index in range(MOST):
        layout = Layout(index)
        if _is_routed(layout):
            continue
        if claim := _claim(layout):
            yield claim


def acquire() -> Claim:
    """Claim the first that is free.

    Raises:
        Unavailable: If none is.
    """
    for claim in free():
        return claim
    raise Unavailable(f"{MOST} test clusters run already, or their networks do")


def _claim(layout: Layout) -> Claim | None:
    lock = socket.socket(socket.AF_UNIX)
    try:
        lock.bind(f"\0{layout.name}")
    except OSError:
        lock.close()
        return None
    return Claim(layout, lock)


def _is_routed(layout: Layout) -> bool:
    """Whether this machine reaches one of its networks by other ways than its own."""
    command = ["ip", "-4", "-json", "route"]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    others = [
        ipaddress.IPv4Network(route["dst"])
        for route in listed
        if route["dst"] != "default" and route.get("dev") != layout.name
    ]
    own = (layout.nodes, layout.pods, layout.services)
    return any(network.overlaps(other) for network in own for other in others)
