"""The command lines of what a node runs."""

from pathlib import Path

from e2e.cluster.layout import NODE, Layout

ETCD = "http://127.0.0.1:2379"
# Long enough to see a reaction, short enough to wait for it.
SCALING_PERIOD = "5s"


def etcd() -> list[str]:
    # In memory: nothing of it is to last.
    peers = ("--listen-peer-urls", "http://127.0.0.1:2380")
    clients = ("--listen-client-urls", ETCD, "--advertise-client-urls", ETCD)
    return ["etcd", "--data-dir", "/run/etcd", *clients, *peers]


def containerd(layout: Layout) -> list[str]:
    return ["containerd", "--config", str(layout.folder / "containerd.toml")]


def api_server(layout: Layout, kube: Path) -> list[str]:
    pki = layout.folder / "pki"
    headers = "--requestheader"
    return [
        str(kube / "kube-apiserver"),
        f"--etcd-servers={ETCD}",
        f"--advertise-address={layout.node}",
        "--secure-port=6443",
        f"--service-cluster-ip-range={layout.services}",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/kube-apiserver.crt",
        f"--tls-private-key-file={pki}/kube-apiserver.key",
        f"--service-account-key-file={pki}/accounts.key",
        f"--service-account-signing-key-file={pki}/accounts.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--proxy-client-cert-file={pki}/front-proxy.crt",
        f"--proxy-client-key-file={pki}/front-proxy.key",
        f"{headers}-client-ca-file={pki}/ca.crt",
        f"{headers}-allowed-names=front-proxy",
        f"{headers}-username-headers=X-Remote-User",
        f"{headers}-group-headers=X-Remote-Group",
        f"{headers}-extra-headers-prefix=X-Remote-Extra-",
        "--enable-aggregator-routing=true",
    ]


def controller_manager(layout: Layout, kube: Path) -> list[str]:
    pki = layout.folder / "pki"
    return [
        str(kube / "kube-controller-manager"),
        f"--kubeconfig={layout.folder}/kube-controller-manager.conf",
        f"--cluster-cidr={layout.pods}",
        "--allocate-node-cidrs=false",
        f"--root-ca-file={pki}/ca.crt",
        f"--service-account-private-key-file={pki}/accounts.key",
        "--use-service-account-credentials",
        "--leader-elect=false",
        f"--horizontal-pod-autoscaler-sync-period={SCALING_PERIOD}",
    ]


def scheduler(layout: Layout, kube: Path) -> list[str]:
    return [
        str(kube / "kube-scheduler"),
        f"--kubeconfig={layout.folder}/kube-scheduler.conf",
        "--leader-elect=false",
    ]


def kubelet(layout: Layout, kube: Path) -> list[str]:
    return [
        str(kube / "kubelet"),
        f"--kubeconfig={layout.folder}/kubelet.conf",
        f"--config={layout.folder}/kubelet.json",
        f"--hostname-override={NODE}",
        f"--node-ip={layout.node}",
        f"--root-dir={layout.folder}/kubelet",
    ]


def proxy(layout: Layout, kube: Path) -> list[str]:
    return [str(kube / "kube-proxy"), f"--config={layout.folder}/kube-proxy.json"]
