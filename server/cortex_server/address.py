"""Listening addresses: "HOST:PORT" or "unix:PATH"."""

import socket
from pathlib import Path

_PRIVATE = 0o600


def bind(address: str) -> socket.socket:
    """A socket bound to an address; it refuses connections until it listens.

    Raises:
        OSError: The address is in use, none, or cannot be had; the message has it.
    """
    kind, _, path = address.partition(":")
    try:
        return _bind_unix(Path(path)) if kind == "unix" else _bind_tcp(address)
    except (OSError, ValueError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        msg = f"cannot listen on {address}: {reason}"
        raise OSError(msg) from error


def _bind_unix(path: Path) -> socket.socket:
    if path.is_socket():  # left behind by a killed replica of the same name
        path.unlink()
    bound = _bound(socket.AF_UNIX, str(path))
    path.chmod(_PRIVATE)
    return bound


def _bind_tcp(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return _bound(family, (host, int(port)))


def _bound(family: socket.AddressFamily, name: str | tuple[str, int]) -> socket.socket:
    bound = socket.socket(family)
    try:
        if family is not socket.AF_UNIX:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(name)
    except (OSError, OverflowError):
        bound.close()
        raise
    return bound


def unlink(*addresses: str) -> None:
    """Remove the socket files of those that have one."""
    for address in addresses:
        kind, _, path = address.partition(":")
        if kind == "unix":
            Path(path).unlink(missing_ok=True)
