"""Arguments that several verbs share, and the completion of API names."""

from contextlib import suppress
from typing import Annotated

import typer

from cortex_sdk.cli.console import Output
from cortex_sdk.errors import CortexError


def complete(context: typer.Context, incomplete: str) -> list[str]:
    """APIs on the target whose names start so; starts nothing, never complains."""
    from cortex_sdk._targets import target_of  # noqa: PLC0415  # only when asked

    with suppress(CortexError, OSError):
        target = target_of(context.params.get("target"))
        taken = context.params.get("names") or ()
        return [
            name
            for name in target.names()
            if name.startswith(incomplete) and name not in taken
        ]
    return []


def complete_target(incomplete: str) -> list[str]:
    """Targets whose names start so; never complains."""
    from cortex_sdk import _targets  # noqa: PLC0415  # only when asked

    with suppress(CortexError, OSError):
        return [name for name in _targets.names() if name.startswith(incomplete)]
    return []


Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Name of the API.", autocompletion=complete),
]

Apps = Annotated[
    list[str],
    typer.Argument(metavar="APP", help="Python file, or module:object, of a SyncAPI."),
]

Target = Annotated[
    str | None,
    typer.Option(
        "--target",
        "-t",
        metavar="TARGET",
        help="Where the API is: local, kubernetes, or a name from config.toml; unset,"
        " $CORTEX_TARGET, else local.",
        autocompletion=complete_target,
    ),
]

Format = Annotated[
    Output,
    typer.Option("--output", "-o", help="Print text for people or JSON for programs."),
]
