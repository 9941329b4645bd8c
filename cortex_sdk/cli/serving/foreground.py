"""One replica in the foreground: this process waits, and passes signals on."""

import asyncio
import secrets
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cortex_sdk._serve import Parts
from cortex_sdk.cli import console
from cortex_sdk.cli.serving.address import Address
from cortex_sdk.cli.serving.children import Children, prepared
from cortex_sdk.errors import DeployError
from cortex_server.manifest import StartFailure

_FAILURE = "failure.json"


@dataclass(frozen=True, slots=True)
class Settings:
    """How a replica is served, besides what its manifest says."""

    app: str
    public: Address
    admin: Address | None
    log_format: Literal["json", "console"]

    def arguments(self, parts: Parts, admin: str, children: Children) -> list[str]:
        """What a replica of these parts is told besides where to answer."""
        failure = str(parts.folder / _FAILURE)
        return [
            *("--admin", admin),
            *("--failure", failure),
            *("--log-format", self.log_format),
            *("--lifeline", str(children.lifeline)),
            *("--scratch", str(parts.folder.parent)),
        ]


def serve(settings: Settings, *, reload: bool) -> int:
    """Serve until the replica ends or a signal comes; the replica's exit code."""
    with tempfile.TemporaryDirectory(
        prefix="cortex-", ignore_cleanup_errors=True
    ) as folder:
        return asyncio.run(_serve(settings, Path(folder), reload=reload))


async def _serve(settings: Settings, folder: Path, *, reload: bool) -> int:
    children = Children()
    children.listen()
    key = folder / "key"
    key.touch(0o600)
    key.write_bytes(secrets.token_bytes(32))
    if reload:
        from cortex_sdk.cli.serving.reload import Reload  # noqa: PLC0415  # an extra

        return await Reload(settings, folder, children).run()
    return await _serve_once(settings, folder, children)


async def _serve_once(settings: Settings, folder: Path, children: Children) -> int:
    code = await prepared(children, settings.app, folder / "1", folder / "key")
    if code or children.ending.is_set():
        return children.exit_code if children.ending.is_set() else code
    parts = Parts.read(folder / "1")
    admin = str(settings.admin) if settings.admin else f"unix:{parts.admin_socket}"
    arguments = settings.arguments(parts, admin, children)
    command = parts.command("--listen", str(settings.public), *arguments)
    process = await children.start(command)
    ended = asyncio.ensure_future(children.wait(process))
    if await first(ended, settings.public.accepts()):
        announce(parts, settings.public)
    else:
        say_failure(parts, settings)
    return await ended


async def first(ended: "asyncio.Future[int]", ready: Coroutine[Any, Any, None]) -> bool:
    """Whether a replica is ready before it ends."""
    waiting = asyncio.ensure_future(ready)
    both: set[asyncio.Future[Any]] = {ended, waiting}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    if waiting.done():
        return True
    waiting.cancel()
    return False


def announce(parts: Parts, address: Address) -> None:
    """Tell the person where the API answers."""
    console.say_done(
        f"{parts.name} serves at http://{address}{parts.endpoint}"
        f" and http://{address}/ (Ctrl-C ends it)"
    )


def say_failure(parts: Parts, settings: Settings) -> None:
    """Tell the person why a replica did not come up, unless its log just has."""
    report = parts.folder / _FAILURE
    if settings.log_format == "console" or not report.exists():
        return
    failure = StartFailure.read(report)
    console.say_error(DeployError(failure.message, failure.traceback))
