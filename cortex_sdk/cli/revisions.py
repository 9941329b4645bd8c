"""`cortex history` and `cortex rollback`: what served, and serving it again."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cortex_sdk.cli import console
from cortex_sdk.cli.arguments import Format, Name, Target
from cortex_sdk.cli.console import Output

if TYPE_CHECKING:
    from cortex_sdk._target import Served


def history(name: Name, target: Target = None, output: Format = Output.TABLE) -> None:
    """Show the revisions of an API that served, newest first.

    Example: cortex history iris
    """
    from cortex_sdk import _verbs  # noqa: PLC0415  # not for --help

    deployment = _verbs.find(name, target)
    revisions = deployment.target.history(name)[::-1]
    if output is Output.JSON:
        console.write_json([_as_dict(past) for past in revisions])
        return
    rows = [
        (
            Text(past.revision, style="" if number else "bold"),
            f"{past.deployed_at.astimezone():%Y-%m-%d %H:%M:%S}",
            "" if number else "serves",
        )
        for number, past in enumerate(revisions)
    ]
    console.write_columns([("REVISION", "DEPLOYED", ""), *rows])


def rollback(
    name: Name,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="REVISION", help="Which one; unset, the one before the current."
        ),
    ] = None,
    target: Target = None,
    output: Format = Output.TABLE,
) -> None:
    """Make an earlier revision of an API serve again.

    Example: cortex rollback iris --to 4f2a9c
    """
    from cortex_sdk import _verbs  # noqa: PLC0415  # not for --help

    deployment = _verbs.rollback(_verbs.find(name, target), to)
    if output is Output.JSON:
        console.write_json(
            {
                "name": deployment.name,
                "target": deployment.target.name,
                "endpoint": deployment.endpoint,
                "revision": deployment.revision,
                "changed": deployment.changed,
            }
        )
    else:
        console.write_pairs(
            {"endpoint": deployment.endpoint, "revision": deployment.revision}
        )


def _as_dict(past: "Served") -> dict[str, str]:
    return {"revision": past.revision, "deployed_at": past.deployed_at.isoformat()}
