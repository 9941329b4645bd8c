"""The admin address: health, readiness, metrics, demand and drain."""

import json
import socket
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cortex_server.board import Board, State
from cortex_server.supervisor.demand import HISTORY, Demand

_IDLE = 75


class Admin:
    """Answers on the admin address, from threads of its own.

    Args:
        board: The counters of the replica.
        demand: What scalers ask for.
        metrics: Gives the Prometheus text; called per scrape.
        drain: Called when somebody asks the replica to end.
    """

    def __init__(
        self,
        board: Board,
        demand: Demand,
        metrics: Callable[[], bytes],
        drain: Callable[[], None],
    ) -> None:
        self._board = board
        self._demand = demand
        self._metrics = metrics
        self._drain = drain

    def serve(self, bound: socket.socket) -> None:
        """Answer as long as the process lives."""
        _Server(bound, self).serve_forever()

    def get(self, path: str) -> tuple[int, Any]:
        """Status and body of a GET."""
        match path.split("?", maxsplit=1)[0].strip("/").split("/"):
            case ["healthz"]:
                return HTTPStatus.OK, {"status": "alive"}
            case ["readyz"]:
                return self._readiness()
            case ["metrics"]:
                return HTTPStatus.OK, self._metrics()
            case ["in-flight", window]:
                return self._in_flight(window)
        return HTTPStatus.NOT_FOUND, {"detail": f"there is no {path} here"}

    def post(self, path: str) -> tuple[int, Any]:
        """Status and body of a POST."""
        if path.strip("/") != "drain":
            return HTTPStatus.NOT_FOUND, {"detail": f"there is no {path} here"}
        self._drain()
        return HTTPStatus.ACCEPTED, {"status": "draining"}

    def _readiness(self) -> tuple[int, Any]:
        state = self._board.state
        if self._board.is_ready:
            return HTTPStatus.OK, {"status": "ready"}
        if state is State.READY:  # all processes with a predictor are starting again
            state = State.STARTING
        return HTTPStatus.SERVICE_UNAVAILABLE, {"status": state.name.lower()}

    def _in_flight(self, window: str) -> tuple[int, Any]:
        try:
            seconds = float(window)
        except ValueError:
            seconds = 0
        if not 0 < seconds <= HISTORY:
            detail = f"the window must be from 1 to {HISTORY} seconds, got {window!r}"
            return HTTPStatus.BAD_REQUEST, {"detail": detail}
        return HTTPStatus.OK, {"in_flight": round(self._demand.mean(seconds), 6)}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, bound: socket.socket, admin: Admin) -> None:
        self.address_family = bound.family
        self.admin = admin
        super().__init__(("", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = bound
        self.server_activate()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.settimeout(_IDLE)
        return connection, address or ("unix", 0)

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet per answer; two would wait for each other
    server_version = "cortex"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(*self.server.admin.get(self.path))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self._answer(*self.server.admin.post(self.path))

    def _answer(self, status: int, body: Any) -> None:  # noqa: ANN401  # bytes or JSON
        is_text = isinstance(body, bytes)
        content = body if is_text else json.dumps(body).encode()
        self.send_response(status)
        kind = "text/plain; version=0.0.4; charset=utf-8"
        self.send_header("content-type", kind if is_text else "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # inherited
        """Probes are no news either."""
