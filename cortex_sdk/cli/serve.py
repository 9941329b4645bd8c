"""`cortex serve`: one replica in the foreground."""

import sys
from enum import StrEnum
from importlib.util import find_spec
from typing import Annotated

import typer

from cortex_sdk.errors import MissingExtraError

_HIGHEST_PORT = 65535


class LogFormat(StrEnum):
    """How the replica logs to standard output."""

    CONSOLE = "console"
    JSON = "json"


def serve(
    app: Annotated[
        str,
        typer.Argument(
            metavar="APP",
            help="Python file, or module:object, of a SyncAPI; FILE:NAME for one of"
            " several.",
        ),
    ],
    *,
    port: Annotated[
        int,
        typer.Option(
            "--port",
            "-p",
            metavar="PORT",
            min=0,
            max=_HIGHEST_PORT,
            help="0 takes any free one.",
        ),
    ] = 8080,
    host: Annotated[
        str, typer.Option(metavar="HOST", help="Address to listen on.")
    ] = "127.0.0.1",
    reload: Annotated[
        bool, typer.Option("--reload", help="Start anew when the project changes.")
    ] = False,
    admin_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=_HIGHEST_PORT,
            help="Port of health and metrics; unset, none.",
        ),
    ] = None,
    log_format: Annotated[
        LogFormat | None,
        typer.Option(help="Unset, console in a terminal and json elsewhere."),
    ] = None,
) -> None:
    """Serve one API in the foreground, as a replica on a target would.

    Example: cortex serve app.py --port 8080 --reload
    """
    if reload and find_spec("watchfiles") is None:
        msg = (
            "`--reload` needs the package `watchfiles`;"
            " run `pip install 'cortex-sdk[local]'`"
        )
        raise MissingExtraError(msg)
    from cortex_sdk.cli.serving.address import Address  # noqa: PLC0415  # not for --help
    from cortex_sdk.cli.serving.foreground import (  # noqa: PLC0415  # same
        Settings,
        serve,
    )

    usual = LogFormat.CONSOLE if sys.stdout.isatty() else LogFormat.JSON
    settings = Settings(
        app=app,
        public=Address(host, port).reserved(),
        admin=None
        if admin_port is None
        else Address(host, admin_port, "--admin-port").reserved(),
        log_format=(log_format or usual).value,
    )
    raise typer.Exit(serve(settings, reload=reload))
