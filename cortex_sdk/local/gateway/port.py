"""Which port the user wants the gateway on."""

import errno
import os
import re
import socket

from cortex_sdk.errors import TargetError

PORT_VARIABLE = "CORTEX_GATEWAY_PORT"
DEFAULT_PORT = 8077
_HIGHEST = 65535


def wanted_port() -> int | None:
    """`$CORTEX_GATEWAY_PORT`, None where it is not set.

    Raises:
        TargetError: It is no port.
    """
    text = os.environ.get(PORT_VARIABLE)
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) <= _HIGHEST:
        msg = f"{PORT_VARIABLE} must be a port from 1 to {_HIGHEST}, got {text!r}"
        raise TargetError(msg)
    return int(text)


def url(port: int, endpoint: str) -> str:
    """Where an API answers."""
    return f"http://127.0.0.1:{port}{endpoint}"


def check_free(port: int) -> None:
    """Raise a TargetError if something else has the port.

    Envoy itself would say so too, but not as a sentence.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            reason = "is in use by another program" if taken else "cannot be used"
            msg = (
                f"port {port} of the gateway {reason} ({error.strerror}); set"
                f" {PORT_VARIABLE} to a free one"
            )
            raise TargetError(msg) from error
