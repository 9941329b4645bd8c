"""A port of a pod as one of this machine, by way of the API server."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from kubernetes import client
from kubernetes.client import ApiException
from kubernetes.stream import portforward

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.cluster.connection import Connection

_BLOCK = 1 << 16
_HERE = "127.0.0.1"


@contextmanager
def forwarded(
    connection: "Connection", namespace: str, pod: str, port: int
) -> Iterator[int]:
    """A port of 127.0.0.1 that leads to one of a pod, as long as the block runs.

    A connection that the API server does not pass on is closed without an answer.
    """
    core = client.CoreV1Api(connection.api_client)

    def connect() -> Any:  # noqa: ANN401  # a socket of the client's own
        return portforward(
            core.connect_get_namespaced_pod_portforward,
            pod,
            namespace,
            ports=str(port),
        ).socket(port)

    with closing(socket.create_server((_HERE, 0))) as listener:
        accepting = threading.Thread(
            target=_accept, args=(listener, connect), daemon=True
        )
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # else accept() waits on


def _accept(listener: socket.socket, connect: Any) -> None:  # noqa: ANN401  # see above
    while True:
        try:
            here, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_join, args=(here, connect), daemon=True).start()


def _join(here: socket.socket, connect: Any) -> None:  # noqa: ANN401  # see above
    """Carry bytes both ways until one side ends."""
    with closing(here):
        try:
            there = connect()
        except (ApiException, OSError):
            return
        with closing(there):
            threading.Thread(target=_carry, args=(here, there), daemon=True).start()
            _carry(there, here)


def _carry(source: Any, sink: Any) -> None:  # noqa: ANN401  # sockets, and theirs
    with suppress(OSError):
        while block := source.recv(_BLOCK):
            sink.sendall(block)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
