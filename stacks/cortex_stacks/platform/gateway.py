"""The gateway: our own objects on top of Envoy Gateway."""

from typing import Any

from cortex_stacks.labels import labels
from cortex_stacks.platform.args import (
    GATEWAY,
    NAMESPACE,
    STACK_NAME,
    GatewayArgs,
)

Manifest = dict[str, Any]

CONTROLLER = "gateway.envoyproxy.io/gatewayclass-controller"
_ENVOY = "gateway.envoyproxy.io/v1alpha1"
_ROUTING = "gateway.networking.k8s.io/v1"
_HEAD = "10s"


def resources(args: GatewayArgs, stack: str) -> list[Manifest]:
    """Namespace, class, settings of Envoy and of its clients, and the Gateway."""
    specs: list[Manifest] = [
        _object("v1", "Namespace", NAMESPACE),
        _object(_ENVOY, "EnvoyProxy", GATEWAY, spec=_proxy(args)),
        _object(_ROUTING, "GatewayClass", GATEWAY, spec=_class()),
        _object(_ENVOY, "ClientTrafficPolicy", GATEWAY, spec=_clients()),
        _object(_ROUTING, "Gateway", GATEWAY, spec=_gateway(args.tls_secret)),
    ]
    return [_finished(manifest, stack) for manifest in specs]


def _object(version: str, kind: str, name: str, **fields: Any) -> Manifest:  # noqa: ANN401  # plain values
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **fields}


def _finished(manifest: Manifest, stack: str) -> Manifest:
    metadata = {**manifest["metadata"], "labels": labels(STACK_NAME, "platform", stack)}
    if manifest["kind"] not in {"Namespace", "GatewayClass"}:
        metadata["namespace"] = NAMESPACE
    if manifest["kind"] in {"GatewayClass", "Gateway"}:
        metadata["annotations"] = {"pulumi.com/waitFor": "condition=Accepted"}
    return {**manifest, "metadata": metadata}


def _class() -> Manifest:
    parameters = {
        "group": "gateway.envoyproxy.io",
        "kind": "EnvoyProxy",
        "name": GATEWAY,
        "namespace": NAMESPACE,
    }
    return {"controllerName": CONTROLLER, "parametersRef": parameters}


def _gateway(tls_secret: str | None) -> Manifest:
    everybody = {"namespaces": {"from": "All"}}
    listeners: list[Manifest] = [
        {"name": "http", "protocol": "HTTP", "port": 80, "allowedRoutes": everybody}
    ]
    if tls_secret is not None:
        tls = {"mode": "Terminate", "certificateRefs": [{"name": tls_secret}]}
        https = {"name": "https", "protocol": "HTTPS", "port": 443, "tls": tls}
        listeners.append({**https, "allowedRoutes": everybody})
    return {"gatewayClassName": GATEWAY, "listeners": listeners}


def _proxy(args: GatewayArgs) -> Manifest:
    deployment: Manifest = {"replicas": args.replicas}
    if args.image is not None:
        deployment["container"] = {"image": args.image}
    service: Manifest = {"type": args.service}
    if args.annotations:
        service["annotations"] = args.annotations
    kubernetes: Manifest = {"envoyDeployment": deployment, "envoyService": service}
    if args.replicas > 1:
        kubernetes["envoyPDB"] = {"maxUnavailable": 1}
    return {
        "provider": {"type": "Kubernetes", "kubernetes": kubernetes},
        "shutdown": {"drainTimeout": f"{args.drain}s"},
        # Else Envoy writes what it knows of tracing into an id that its client chose.
        "telemetry": {"requestID": {"tracing": "Disable"}},
    }


def _clients() -> Manifest:
    """What requests may look like: the same as at the gateway of the local target."""
    target = {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": GATEWAY,
    }
    return {
        "targetRefs": [target],
        "headers": {
            "requestID": "PreserveOrGenerate",
            "withUnderscoresAction": "Allow",
        },
        # A name of a model may have a slash in it; replicas decide on all of a path.
        "path": {"escapedSlashesAction": "KeepUnchanged", "disableMergeSlashes": True},
        "http1": {"http10": {}},
        # How long a request may take is the route's and the replica's to say.
        "timeout": {
            "http": {
                "requestHeadersReceivedTimeout": _HEAD,
                "requestReceivedTimeout": "0s",
                "streamIdleTimeout": "0s",
            }
        },
    }
