"""Whether an address can be reached from this machine."""

import socket
from urllib.parse import urlsplit

_PATIENCE = 2.0


def is_reached(url: str) -> bool:
    """Whether something takes connections there."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname, port), timeout=_PATIENCE):
            return True
    except OSError:
        return False
