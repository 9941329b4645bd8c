"""How replicas are reached, and by whom."""

from urllib.parse import urlsplit

from cortex_stacks.api.metadata import Manifest, metadata
from cortex_stacks.api.pod.container import ADMIN, HTTP
from cortex_stacks.args import GatewayRef, Scaling, SyncAPIArgs
from cortex_stacks.labels import selector

_NAMESPACE = "kubernetes.io/metadata.name"
_OWNER = "gateway.envoyproxy.io/owning-gateway"
_SCRAPERS = ("keda", "cortex-system")
_CLUSTER_NAME_PARTS = 3


def service(args: SyncAPIArgs) -> Manifest:
    """The API inside the cluster."""
    port = {"name": "http", "port": 80, "targetPort": HTTP, "appProtocol": "http"}
    spec = {"type": "ClusterIP", "selector": selector(args.name, "api")}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(args),
        "spec": {**spec, "ports": [port]},
    }


def admin_name(args: SyncAPIArgs) -> str:
    """Of the Service of the admin port."""
    return f"{args.name}-admin"


def admin_service(args: SyncAPIArgs) -> Manifest:
    """Every replica's admin port, for scalers: headless, and apart from the API's."""
    port = {"name": "admin", "port": ADMIN, "targetPort": ADMIN}
    spec = {"clusterIP": "None", "selector": selector(args.name, "api")}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(args, admin_name(args)),
        "spec": {**spec, "ports": [port]},
    }


def network_policy(args: SyncAPIArgs) -> Manifest:
    """Who may connect: to the API the gateway and neighbours, to its admin port KEDA.

    What the kubelet sends (probes, port-forwards) needs no leave, and replicas may
    connect to wherever they like.
    """
    rules = [
        {"ports": [_tcp(HTTP)], "from": _callers(args.gateway)},
        {"ports": [_tcp(ADMIN)], "from": _scrapers(args.scaling)},
    ]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(args),
        "spec": {
            "podSelector": {"matchLabels": selector(args.name, "api")},
            "policyTypes": ["Ingress"],
            "ingress": rules,
        },
    }


def _callers(gateway: GatewayRef) -> list[Manifest]:
    """Proxies, beside the Gateway or where Envoy Gateway has them, and neighbours."""
    proxies = {
        f"{_OWNER}-name": gateway.name,
        f"{_OWNER}-namespace": gateway.namespace,
    }
    return [
        _pods_of(gateway.namespace),
        {"namespaceSelector": {}, "podSelector": {"matchLabels": proxies}},
        {"podSelector": {}},
    ]


def _scrapers(scaling: Scaling) -> list[Manifest]:
    named = _namespace_of(scaling.prometheus) if scaling.prometheus else None
    more = (named,) if named else ()
    return [_pods_of(name) for name in dict.fromkeys((*_SCRAPERS, *more))]


def _namespace_of(url: str) -> str | None:
    """The namespace in "http://prometheus.monitoring.svc:9090", None in others."""
    parts = (urlsplit(url).hostname or "").split(".")
    is_inside = len(parts) >= _CLUSTER_NAME_PARTS and parts[2] == "svc"
    return parts[1] if is_inside else None


def _pods_of(namespace: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {_NAMESPACE: namespace}}}


def _tcp(port: int) -> Manifest:
    return {"protocol": "TCP", "port": port}
