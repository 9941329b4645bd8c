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

_TYPES = "type.googleapis.com/envoy"
LISTENER_TYPE = f"{_TYPES}.config.listener.v3.Listener"
ROUTES_TYPE = f"{_TYPES}.config.route.v3.RouteConfiguration"
CLUSTER_TYPE = f"{_TYPES}.config.cluster.v3.Cluster"
ENDPOINTS_TYPE = f"{_TYPES}.config.endpoint.v3.ClusterLoadAssignment"
_HEAD = "10s"
_HTTP_OPTIONS = f"{_TYPES}.extensions.upstreams.http.v3.HttpProtocolOptions"
_MANAGER = (
    f"{_TYPES}.extensions.filters.network.http_connection_manager.v3"
    ".HttpConnectionManager"
)
_ROUTER = f"{_TYPES}.extensions.filters.http.router.v3.Router"

ROUTES = "routes"
_NO_LIMIT = "0s"
_UNLIMITED = 1_000_000
# The replica closes a connection that was idle for 75 s; the gateway must be first,
# or a request meets the closing connection and cannot be repeated safely.
_UPSTREAM_IDLE = "60s"
# Else Envoy writes what it knows of tracing into an id that its client chose.
_REQUEST_IDS = {
    "@type": f"{_TYPES}.extensions.request_id.uuid.v3.UuidRequestIdConfig",
    "pack_trace_reason": False,
}
_NEVER_SENT = "connect-failure,refused-stream,reset-before-request"


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
    return _resources(LISTENER_TYPE, [_listener(port, folder)])


def routes(apis: list[Route]) -> Json:
    """The routes of all APIs, longest endpoint first."""
    by_length = sorted(apis, key=lambda api: (-len(api.endpoint), api.endpoint))
    table = {
        "name": ROUTES,
        "virtual_hosts": [
            {
                "name": "apis",
                "domains": ["*"],
                "routes": [route for api in by_length for route in _routes(api)],
            }
        ],
    }
    return _resources(ROUTES_TYPE, [table])


def clusters(names: list[str], folder: Path) -> Json:
    """One cluster per API, its endpoints in a file of its own."""
    return _resources(CLUSTER_TYPE, [_cluster(name, folder) for name in sorted(names)])


def endpoints(api: Route) -> Json:
    """The replicas of one API that get requests."""
    members = [
        {"endpoint": {"address": {"pipe": {"path": str(path)}}}}
        for path in sorted(api.sockets)
    ]
    assignment = {"cluster_name": api.name, "endpoints": [{"lb_endpoints": members}]}
    return _resources(ENDPOINTS_TYPE, [assignment])


def endpoints_file(folder: Path, name: str) -> Path:
    """Where the endpoints of an API are written."""
    return folder / f"eds-{name}.json"


def _resources(kind: str, resources: list[Json]) -> Json:
    typed = [{"@type": kind, **resource} for resource in resources]
    content = json.dumps(typed, sort_keys=True).encode()
    version = hashlib.sha256(content).hexdigest()[:12]
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
        "stream_idle_timeout": _NO_LIMIT,
        # But it sees no request whose head has not come.
        "request_headers_timeout": _HEAD,
        "request_timeout": _NO_LIMIT,
        "generate_request_id": True,
        "preserve_external_request_id": True,
        "request_id_extension": {"typed_config": _REQUEST_IDS},
        "server_header_transformation": "PASS_THROUGH",
        "local_reply_config": local_replies(),
    }


def _routes(api: Route) -> list[Json]:
    """The endpoint itself and all below it, both without the prefix.

    Two routes, because one that matches both would rewrite "/iris/x" to "//x".
    """
    matches = [{"path": api.endpoint}, {"prefix": f"{api.endpoint}/"}]
    action = {
        "cluster": api.name,
        "prefix_rewrite": "/",
        "timeout": _NO_LIMIT,
        "idle_timeout": _NO_LIMIT,
        "retry_policy": _retries(api),
    }
    told = {"request_headers_to_add": [_prefix(api.endpoint)]}
    return [{"match": match, "route": action, **told} for match in matches]


def _prefix(endpoint: str) -> Json:
    """What is taken off the path, for what replicas say of their own addresses."""
    header = {"key": "x-forwarded-prefix", "value": endpoint.replace("%", "%%")}
    return {"header": header, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _retries(api: Route) -> Json:
    """Requests that no replica has seen are safe to send again, others by choice."""
    return {
        "retry_on": f"{_NEVER_SENT},reset" if api.idempotent else _NEVER_SENT,
        "num_retries": 3,
        "retry_host_predicate": [
            {
                "name": "previous_hosts",
                "typed_config": {
                    "@type": f"{_TYPES}.extensions.retry.host.previous_hosts.v3"
                    ".PreviousHostsPredicate"
                },
            }
        ],
        "host_selection_retry_max_attempts": 3,
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
