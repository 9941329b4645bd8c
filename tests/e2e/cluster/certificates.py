"""Who is who in a cluster: certificates of its parts, and files to reach it."""

import base64
import json
import subprocess
from pathlib import Path

from e2e.cluster.layout import NODE, Layout

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")
DAYS = ("-days", "7")
CLIENTS = {
    "admin": "/O=system:masters/CN=admin",
    "kube-controller-manager": "/CN=system:kube-controller-manager",
    "kube-scheduler": "/CN=system:kube-scheduler",
    "kubelet": f"/O=system:nodes/CN=system:node:{NODE}",
    "kube-proxy": "/CN=system:kube-proxy",
    "front-proxy": "/CN=front-proxy",
    "apiserver-kubelet": "/O=system:masters/CN=apiserver-kubelet",
}
# Those that find the API server by a file of their own.
CONFIGURED = tuple(CLIENTS)[:5]


def write(layout: Layout) -> None:
    """Write keys, certificates and kubeconfig files into the cluster's folder."""
    folder = layout.folder / "pki"
    folder.mkdir(mode=0o700)
    _openssl("req", "-x509", *EC, *DAYS, "-subj", "/CN=test", *_to(folder, "ca"))
    for name, subject in CLIENTS.items():
        _certificate(folder, name, subject, "extendedKeyUsage=clientAuth")
    api = ("kubernetes.default.svc", "localhost")
    addresses = (layout.node, str(layout.services[1]), "127.0.0.1")
    _server(folder, "kube-apiserver", api, addresses)
    _server(folder, "kubelet-server", (NODE,), (layout.node,))
    _openssl("genrsa", "-out", str(folder / "accounts.key"), "2048")
    for name in CONFIGURED:
        _write_kubeconfig(layout, name)


def _server(
    folder: Path, name: str, hosts: tuple[str, ...], addresses: tuple[str, ...]
) -> None:
    names = [f"DNS:{host}" for host in hosts] + [f"IP:{ip}" for ip in addresses]
    usage = "extendedKeyUsage=serverAuth,clientAuth"
    alternative = f"subjectAltName={','.join(names)}"
    _certificate(folder, name, f"/CN={name}", usage, alternative)


def _certificate(folder: Path, name: str, subject: str, *extensions: str) -> None:
    authority = ("-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key"))
    added = [part for extension in extensions for part in ("-addext", extension)]
    _openssl(
        *("req", "-x509", *EC, *DAYS, *authority, "-subj", subject),
        *(*added, *_to(folder, name)),
    )


def _to(folder: Path, name: str) -> tuple[str, ...]:
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    return "-keyout", str(key), "-out", str(certificate)


def _write_kubeconfig(layout: Layout, name: str) -> None:
    folder = layout.folder / "pki"

    def data(file: str) -> str:
        return base64.b64encode((folder / file).read_bytes()).decode()

    authority = {"certificate-authority-data": data("ca.crt")}
    keys = {
        "client-certificate-data": data(f"{name}.crt"),
        "client-key-data": data(f"{name}.key"),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": layout.api, **authority}}],
        "users": [{"name": name, "user": keys}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": name}}],
    }
    target = layout.folder / f"{name}.conf"
    target.touch(mode=0o600)
    target.write_text(json.dumps(config))


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
