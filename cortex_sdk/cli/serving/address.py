"""The address that `cortex serve` answers at."""

import asyncio
import errno
import socket
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Self

from cortex_sdk.errors import TargetError

_EVERY_INTERFACE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # never bound here
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class Address:
    """Host and port; port 0 stands for any free one until `reserved` found it."""

    host: str
    port: int
    option: str = "--port"
    """What the user changes to get another one."""

    def __str__(self) -> str:
        """The form that URLs and the replica's command line take."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def reserved(self) -> Self:
        """The same with a port that is free now.

        Raises:
            TargetError: The port is in use, or the host is none of this machine's.
        """
        try:
            with socket.socket(self._family()) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((self.host, self.port))
                return replace(self, port=probe.getsockname()[1])
        except OSError as error:
            raise TargetError(self._why_not(error)) from error

    async def accepts(self) -> None:
        """Wait until something accepts connections there; wait for ever otherwise."""
        host = _EVERY_INTERFACE.get(self.host, self.host)
        while True:
            with suppress(OSError):
                _, writer = await asyncio.open_connection(host, self.port)
                writer.close()
                return
            await asyncio.sleep(_POLL)

    def _family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    def _why_not(self, error: OSError) -> str:
        if error.errno == errno.EADDRINUSE:
            return (
                f"port {self.port} of {self.host} is in use; choose another with"
                f" `{self.option}`, or any free one with `{self.option} 0`"
            )
        if error.errno == errno.EACCES:
            return (
                f"port {self.port} needs more rights than you have; choose one above"
                f" 1023 with `{self.option}`"
            )
        reason = error.strerror or error
        return f"cannot listen on {self}: {reason}; choose another with `--host`"


async def socket_accepts(path: str) -> None:
    """Wait until something accepts connections on a unix socket."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_unix_connection(path)
            writer.close()
            return
        await asyncio.sleep(_POLL)
