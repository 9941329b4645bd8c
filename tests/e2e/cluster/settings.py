"""The files by which containerd, the kubelet and kube-proxy are told what to do."""

import json
from typing import Any

from e2e.cluster.layout import NODE, Layout
from e2e.images.catalogue import PAUSE

CONTAINERD = """\
version = 2
root = "{folder}/containerd/root"
state = "{folder}/containerd/state"
[grpc]
  address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # Root may be short of the capability that lowers the score.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{folder}/cni"
"""


def write(layout: Layout) -> None:
    """Write every file into the cluster's folder."""
    folder = layout.folder
    containerd = CONTAINERD.format(folder=folder, socket=layout.socket, pause=PAUSE)
    (folder / "containerd.toml").write_text(containerd)
    (folder / "cni").mkdir()
    _write(layout, "cni/10-bridge.conflist", _pod_network(layout))
    _write(layout, "kubelet.json", _kubelet(layout))
    _write(layout, "kube-proxy.json", _proxy(layout))
    # CoreDNS answers for the cluster; nothing of the world is reached.
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\n")


def _write(layout: Layout, name: str, content: dict[str, Any]) -> None:
    (layout.folder / name).write_text(json.dumps(content, indent=1))


def _pod_network(layout: Layout) -> dict[str, Any]:
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": str(layout.pods)}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(layout.folder / "addresses"),
    }
    bridge = {
        "type": "bridge",
        "bridge": "pods0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": addresses,
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, ports]}


def _kubelet(layout: Layout) -> dict[str, Any]:
    pki = layout.folder / "pki"
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{layout.name}",
        "containerRuntimeEndpoint": f"unix://{layout.socket}",
        "clusterDNS": [layout.dns],
        "clusterDomain": "cluster.local",
        "resolvConf": str(layout.folder / "resolv.conf"),
        "volumePluginDir": str(layout.folder / "volume-plugins"),
        "authentication": {
            "x509": {"clientCAFile": str(pki / "ca.crt")},
            "anonymous": {"enabled": False},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "tlsCertFile": str(pki / "kubelet-server.crt"),
        "tlsPrivateKeyFile": str(pki / "kubelet-server.key"),
        # A full disk of the machine is no concern of the tests, and images that
        # were loaded by hand must never be collected.
        "localStorageCapacityIsolation": False,
        "evictionHard": {"memory.available": "100Mi"},
        "imageGCHighThresholdPercent": 100,
        "serializeImagePulls": False,
        "registerNode": True,
    }


def _proxy(layout: Layout) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "hostnameOverride": NODE,
        "clusterCIDR": str(layout.pods),
        "clientConnection": {"kubeconfig": str(layout.folder / "kube-proxy.conf")},
        # These limits of the kernel are not a network namespace's to change.
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }
