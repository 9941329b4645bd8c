"""Listening addresses: "HOST:PORT" or "unix:PATH"."""

import socket
from pathlib import Path

_PRIVATE = 0o600


def bind(address: str) -> socket.socket:
    """A socket bound to an address; it refuses connections until it listens.

    Raises:
        OSError: The address is in use or cannot be had; the message says which.
    """
    kind, _, path = address.partition(":")
    try:
        return _bind_unix(Path(path)) if kind == "unix" else _bind_tcp(address)
    except OSError as error:
        msg = f"cannot listen on {address}: {error.strerror or error}"
        raise OSError(error.errno, msg) from error


def _bind_unix(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)  # left behind by a killed replica of the same name
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(path))
    path.chmod(_PRIVATE)
    return bound


def _bind_tcp(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, int(port)))
    return bound


def unlink(*addresses: str) -> None:
    """Remove the socket files of those that have one."""
    for address in addresses:
        kind, _, path = address.partition(":")
        if kind == "unix":
            Path(path).unlink(missing_ok=True)
