"""The files that Envoy watches."""

import json
from collections.abc import Iterable
from pathlib import Path

from cortex_sdk.local.gateway import routing, xds
from cortex_sdk.local.gateway.routing import Table
from cortex_sdk.local.home import Home, write


class Files:
    """Envoy's configuration on disk; each write is one rename, which Envoy sees."""

    def __init__(self, home: Home) -> None:
        self._folder = home.gateway
        self._admin = home.gateway_socket
        self.bootstrap = self._folder / "bootstrap.json"

    def prepare(self, port: int) -> None:
        """Write what Envoy needs to start, on top of what was served before."""
        _put(self.bootstrap, xds.bootstrap(self._folder, self._admin))
        self.listen(port)
        if not self._routes.exists():
            _put(self._routes, routing.routes(Table()))
        if not self._clusters.exists():
            self.write_clusters([])

    def listen(self, port: int) -> None:
        """Listen on this port and no other."""
        _put(self._listeners, xds.listeners(port, self._folder))

    def listener(self) -> tuple[str, str]:
        """Name and version of the listener."""
        content = _read(self._listeners)
        return content["resources"][0]["name"], content["version_info"]

    def clusters(self) -> set[str]:
        """Names of the APIs that Envoy knows."""
        try:
            return {cluster["name"] for cluster in _read(self._clusters)["resources"]}
        except (OSError, ValueError, KeyError):
            return set()

    def write_clusters(self, names: Iterable[str]) -> None:
        """Know these APIs; their endpoints must be there."""
        _put(self._clusters, xds.clusters(sorted(names), self._folder))

    def write_endpoints(self, route: xds.Route) -> None:
        """Send requests to these replicas."""
        _put(self._endpoints(route.name), xds.endpoints(route))

    def write_routes(self, table: Table) -> str:
        """Lead to these APIs, whose clusters must be there; returns the version."""
        content = routing.routes(table)
        _put(self._routes, content)
        return str(content["version_info"])

    def remove_endpoints(self, name: str) -> None:
        """Forget the replicas of an API that is not known any more."""
        self._endpoints(name).unlink(missing_ok=True)

    @property
    def _listeners(self) -> Path:
        return self._folder / "lds.json"

    @property
    def _routes(self) -> Path:
        return self._folder / "rds.json"

    @property
    def _clusters(self) -> Path:
        return self._folder / "cds.json"

    def _endpoints(self, name: str) -> Path:
        return xds.endpoints_file(self._folder, name)


def _read(path: Path) -> xds.Json:
    content: xds.Json = json.loads(path.read_bytes())
    return content


def _put(path: Path, content: xds.Json) -> None:
    """Write, unless that changes nothing: Envoy would load it again."""
    data = json.dumps(content).encode()
    if not path.exists() or path.read_bytes() != data:
        write(path, data)
