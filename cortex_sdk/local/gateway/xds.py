"""Envoy's configuration as a pure function of what should be reachable.

Listener, routes, clusters and endpoints are files that Envoy watches, so a change
never restarts it. The version of each is a hash of its content: Envoy reports the
versions that it follows, and equal content is no change.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cortex_sdk.local.gateway.problems import local_replies

Json = dict[str, Any]

TYPES = "type.googleapis.com/envoy"
LISTENER_TYPE = f"{TYPES}.config.listener.v3.Listener"
CLUSTER_TYPE = f"{TYPES}.config.cluster.v3.Cluster"
ENDPOINTS_TYPE = f"{TYPES}.config.endpoint.v3.ClusterLoadAssignment"
_HEAD = "10s"
_HTTP_OPTIONS = f"{TYPES}.extensions.upstreams.http.v3.HttpProtocolOptions"
_MANAGER = (
    f"{TYPES}.extensions.filters.network.http_connection_manager.v3"
    ".HttpConnectionManager"
)
_ROUTER = f"{TYPES}.extensions.filters.http.router.v3.Router"

ROUTES = "routes"
NO_LIMIT = "0s"
_UNLIMITED = 1_000_000
# The replica closes a connection that was idle for 75 s; the gateway must be first,
# or a request meets the closing connection and cannot be repeated safely.
_UPSTREAM_IDLE = "60s"
# Else Envoy writes what it knows of tracing into an id that its client chose.
_REQUEST_IDS = {
    "@type": f"{TYPES}.extensions.request_id.uuid.v3.UuidRequestIdConfig",
    "pack_trace_reason": False,
}


@dataclass(frozen=True, slots=True)
class Route:
    """One API as the gateway sees it."""

    name: str
    endpoint: str
    sockets: tuple[Path, ...]
    """Public sockets of the replicas that are ready."""
    idempotent: bool = False
    """Whether a request may be sent again after a replica died under it."""


def bootstrap(folder: Path, admin: Path) -> Json:
    """What Envoy is started with: where its files are, and nothing that changes."""
    return {
        "node": {"id": "local", "cluster": "cortex"},
        "admin": {"address": {"pipe": {"path": str(admin), "mode": 0o600}}},
        "dynamic_resources": {
            "lds_config": _file(folder / "lds.json"),
            "cds_config": _file(folder / "cds.json"),
        },
    }


def listeners(port: int, folder: Path) -> Json:
    """The one listener, named by its port: another port is another listener."""
    return resources(LISTENER_TYPE, [_listener(port, folder)])


def clusters(names: list[str], folder: Path) -> Json:
    """One cluster per API, its endpoints in a file of its own."""
    return resources(CLUSTER_TYPE, [_cluster(name, folder) for name in sorted(names)])


def endpoints(api: Route) -> Json:
    """The replicas of one API that get requests."""
    members = [
        {"endpoint": {"address": {"pipe": {"path": str(path)}}}}
        for path in sorted(api.sockets)
    ]
    assignment = {"cluster_name": api.name, "endpoints": [{"lb_endpoints": members}]}
    return resources(ENDPOINTS_TYPE, [assignment])


def endpoints_file(folder: Path, name: str) -> Path:
    """Where the endpoints of an API are written."""
    return folder / f"eds-{name}.json"


def resources(kind: str, content: list[Json]) -> Json:
    """Resources of one kind, with the hash of all of them as their version."""
    typed = [{"@type": kind, **resource} for resource in content]
    text = json.dumps(typed, sort_keys=True).encode()
    version = hashlib.sha256(text).hexdigest()[:12]
    return {"version_info": version, "resources": typed}


def _file(path: Path) -> Json:
    source = {"path_config_source": {"path": str(path)}}
    return {**source, "resource_api_version": "V3"}


def _listener(port: int, folder: Path) -> Json:
    address = {"address": "127.0.0.1", "port_value": port}
    manager = _connection_manager(folder)
    typed = {"@type": _MANAGER, **manager}
    filters = [{"name": "http", "typed_config": typed}]
    return {
        "name": f"gateway-{port}",
        "address": {"socket_address": address},
        # With it, a second gateway could listen on the same port unnoticed.
        "enable_reuse_port": False,
        "filter_chains": [{"filters": filters}],
    }


def _connection_manager(folder: Path) -> Json:
    router = {"@type": _ROUTER, "suppress_envoy_headers": True}
    return {
        "stat_prefix": "gateway",
        "codec_type": "AUTO",
        "http_protocol_options": {
            "accept_http_10": True,
            "default_host_for_http_10": "localhost",
        },
        "rds": {
            "route_config_name": ROUTES,
            "config_source": _file(folder / "rds.json"),
        },
        "http_filters": [{"name": "router", "typed_config": router}],
        # How long a request may take is the replica's to say, see `timeout`.
        "stream_idle_timeout": NO_LIMIT,
        # But it sees no request whose head has not come.
        "request_headers_timeout": _HEAD,
        "request_timeout": NO_LIMIT,
        "generate_request_id": True,
        "preserve_external_request_id": True,
        "request_id_extension": {"typed_config": _REQUEST_IDS},
        "server_header_transformation": "PASS_THROUGH",
        "local_reply_config": local_replies(),
    }


def _cluster(name: str, folder: Path) -> Json:
    most = dict.fromkeys(
        ("max_connections", "max_pending_requests", "max_requests", "max_retries"),
        _UNLIMITED,
    )
    options = {
        "@type": _HTTP_OPTIONS,
        "common_http_protocol_options": {"idle_timeout": _UPSTREAM_IDLE},
        "explicit_http_config": {"http_protocol_options": {}},
    }
    return {
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": _file(endpoints_file(folder, name))},
        "connect_timeout": "5s",
        "lb_policy": "LEAST_REQUEST",
        # A replica refuses what is too much for it; the gateway must not before.
        "circuit_breakers": {"thresholds": [most]},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options
        },
    }
