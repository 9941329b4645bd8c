"""What Debian has: containers, their networks, etcd, and tools that make images."""

import os
import shutil
import subprocess

from e2e.toolchain.errors import Unavailable

# A program of each package, and the package.
PROGRAMS = {
    "containerd": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "etcd": "etcd-server",
    "mmdebstrap": "mmdebstrap",
    "buildah": "buildah",
    "nft": "nftables",
    "iptables": "iptables",
    "ip": "iproute2",
    "openssl": "openssl",
}


def ensure() -> None:
    """Install what is missing.

    Raises:
        Unavailable: If something is missing and cannot be installed.
    """
    if os.geteuid():
        raise Unavailable("a test cluster needs root, for namespaces and containers")
    if not (absent := missing()):
        return
    if not shutil.which("apt-get"):
        raise Unavailable(f"programs of a node are missing: {', '.join(absent)}")
    _apt("update")
    _apt("install", "--yes", "--no-install-recommends", *absent)


def missing() -> list[str]:
    """The packages whose programs are not there."""
    return [name for program, name in PROGRAMS.items() if not shutil.which(program)]


def _apt(*arguments: str) -> None:
    done = subprocess.run(
        ["apt-get", "--quiet", "--quiet", *arguments],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Unavailable(
            f"apt-get {arguments[0]} failed: {done.stderr.strip()[-300:]}"
        )
