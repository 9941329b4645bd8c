"""A control plane without a node: etcd, an API server, and the controllers.

Pods stay as the tests leave them, since nothing runs them; all else is real.
"""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOKEN = "admin-token"
LIMIT = 120.0  # seconds until everything answers
# Service accounts would be needed by pods that run; endpoints of Services are not
# watched by their old name any more.
OFF = ("serviceaccount-token-controller", "endpoints-controller")


@dataclass(frozen=True)
class ControlPlane:
    """A running control plane, and the kubectl that goes with it."""

    folder: Path
    kube: Path

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl; what it printed."""
        done = self._run(arguments, stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def failure(self, *arguments: str) -> str | None:
        """Run kubectl; why it failed, None when it did not."""
        done = self._run(arguments, None)
        return done.stderr if done.returncode else None

    def _run(
        self, arguments: tuple[str, ...], stdin: str | None
    ) -> "subprocess.CompletedProcess[str]":
        command = [str(self.kube / "kubectl"), f"--kubeconfig={self.kubeconfig}"]
        return subprocess.run(
            [*command, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    def get(self, kind: str, name: str, namespace: str = "default") -> Any:
        """The live form of an object."""
        where = (f"--namespace={namespace}", "--output=json")
        return json.loads(self.kubectl("get", kind, name, *where))

    def names(self, kind: str, namespace: str = "default") -> set[str]:
        """The names of the objects of a kind."""
        where = (f"--namespace={namespace}", "--output=name")
        found = self.kubectl("get", kind, *where).split()
        return {name.partition("/")[2] for name in found}


@contextmanager
def running(folder: Path, kube: Path) -> Iterator[ControlPlane]:
    """Start a control plane that keeps its files in a folder; end it afterwards."""
    plane = ControlPlane(folder, kube)
    etcd, peers, api = _ports(3)
    _prepare(plane, api)
    with ExitStack() as parts:
        for command in (_etcd(folder, etcd, peers), _api_server(plane, etcd, api)):
            parts.enter_context(_process(command, folder))
        _await(plane, "get", "--raw=/readyz")
        parts.enter_context(_process(_controllers(plane), folder))
        # The controllers give every namespace one, once they work.
        _await(plane, "get", "serviceaccount", "default")
        yield plane


def _prepare(plane: ControlPlane, port: int) -> None:
    key = str(plane.folder / "accounts.key")
    command = ["openssl", "genrsa", "-out", key, "2048"]
    subprocess.run(command, check=True, capture_output=True)
    (plane.folder / "tokens.csv").write_text(f'{TOKEN},admin,1,"system:masters"\n')
    cluster = {
        "server": f"https://127.0.0.1:{port}",
        "insecure-skip-tls-verify": True,
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
    }
    plane.kubeconfig.write_text(json.dumps(config))


def _etcd(folder: Path, clients: int, peers: int) -> list[str]:
    addresses = [f"http://127.0.0.1:{port}" for port in (clients, peers)]
    return [
        "etcd",
        f"--data-dir={folder}/etcd",
        "--unsafe-no-fsync",
        f"--listen-client-urls={addresses[0]}",
        f"--advertise-client-urls={addresses[0]}",
        f"--listen-peer-urls={addresses[1]}",
        f"--initial-advertise-peer-urls={addresses[1]}",
        f"--initial-cluster=default={addresses[1]}",
    ]


def _api_server(plane: ControlPlane, etcd: int, port: int) -> list[str]:
    folder = plane.folder
    return [
        str(plane.kube / "kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        f"--cert-dir={folder}/pki",
        f"--secure-port={port}",
        "--bind-address=127.0.0.1",
        "--service-cluster-ip-range=10.250.0.0/24",
        "--authorization-mode=RBAC",
        f"--token-auth-file={folder}/tokens.csv",
        f"--service-account-key-file={folder}/accounts.key",
        f"--service-account-signing-key-file={folder}/accounts.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--disable-admission-plugins=ServiceAccount",
    ]


def _controllers(plane: ControlPlane) -> list[str]:
    return [
        str(plane.kube / "kube-controller-manager"),
        f"--kubeconfig={plane.kubeconfig}",
        "--leader-elect=false",
        "--secure-port=0",
        f"--controllers=*,{','.join(f'-{name}' for name in OFF)}",
    ]


@contextmanager
def _process(command: list[str], folder: Path) -> Iterator[None]:
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            yield
        finally:
            process.kill()
            process.wait()


def _await(plane: ControlPlane, *arguments: str) -> None:
    """Wait until kubectl succeeds."""
    deadline = time.monotonic() + LIMIT
    while (error := plane.failure(*arguments)) is not None:
        assert time.monotonic() < deadline, f"{plane.folder}: {error}"
        time.sleep(0.2)


def _ports(count: int) -> list[int]:
    """Ports that were free a moment ago, each another one."""
    with ExitStack() as open_ones:
        sockets = [open_ones.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
