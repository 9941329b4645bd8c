"""The cable between this machine and a cluster, and the network at its far end."""

import subprocess
import time

from e2e.cluster.layout import Layout

UPLINK = "uplink"
BRIDGE = "node0"
LIMIT = 20.0


def connect(layout: Layout, pid: int) -> None:
    """On this machine: lay a cable into the network namespace of a process.

    The cable and the routes over it vanish with the namespace.
    """
    _ip("link", "add", layout.name, "type", "veth", "peer", UPLINK, "netns", str(pid))
    _ip("address", "add", f"{layout.host}/24", "dev", layout.name)
    _ip("link", "set", layout.name, "up")
    # The other end is not up yet, so the routes say that it will be.
    for network in (layout.pods, layout.services):
        where = ("via", layout.node, "dev", layout.name, "onlink")
        _ip("route", "add", str(network), *where)


def disconnect(layout: Layout) -> None:
    """Wait until the kernel has taken the cable away with its namespace."""
    deadline = time.monotonic() + LIMIT
    while _exists(layout.name):
        if time.monotonic() > deadline:
            _ip("link", "delete", layout.name)
        time.sleep(0.02)


def inside(layout: Layout) -> None:
    """In the namespace: a node's address on a bridge that the cable is part of.

    There is no route to the world: no packet of the cluster leaves this machine.
    """
    while not _exists(UPLINK):
        time.sleep(0.01)
    _ip("link", "set", "lo", "up")
    _ip("link", "add", BRIDGE, "type", "bridge")
    _ip("link", "set", UPLINK, "master", BRIDGE)
    _ip("link", "set", UPLINK, "up")
    _ip("address", "add", f"{layout.node}/24", "dev", BRIDGE)
    _ip("link", "set", BRIDGE, "up")
    # An address of a Service needs a route before it is translated.
    _ip("route", "add", str(layout.services), "dev", BRIDGE)


def _exists(link: str) -> bool:
    command = ["ip", "link", "show", link]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
