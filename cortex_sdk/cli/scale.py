"""`cortex scale` and `cortex refresh`: other replicas of the same revision."""

from typing import TYPE_CHECKING, Annotated

import typer

from cortex_sdk.cli import console
from cortex_sdk.cli.arguments import Format, Name, Target
from cortex_sdk.cli.console import Output

if TYPE_CHECKING:
    from cortex_sdk._deployment import Deployment


def scale(  # options of a command
    name: Name,
    replicas: Annotated[
        int | None,
        typer.Argument(
            metavar="[REPLICAS]", min=1, help="So many, neither fewer nor more."
        ),
    ] = None,
    fewest: Annotated[
        int | None,
        typer.Option("--min", metavar="REPLICAS", min=0, help="Fewest replicas."),
    ] = None,
    most: Annotated[
        int | None,
        typer.Option("--max", metavar="REPLICAS", min=1, help="Most replicas."),
    ] = None,
    target: Target = None,
    output: Format = Output.TABLE,
) -> None:
    """Move the bounds of the replica count, until the next deploy sets them again.

    Example: cortex scale iris --min 2 --max 20
    """
    from cortex_sdk import _verbs  # noqa: PLC0415  # not for --help
    from cortex_sdk._target import Bounds  # noqa: PLC0415  # same

    if (replicas is None) == (fewest is None and most is None):
        msg = "give either a number of replicas, or --min, --max or both"
        raise typer.BadParameter(msg, param_hint="[REPLICAS]")
    bounds = Bounds(replicas, replicas) if replicas else Bounds(fewest, most)
    _write(_verbs.scale(_verbs.find(name, target), bounds), output)


def refresh(name: Name, target: Target = None, output: Format = Output.TABLE) -> None:
    """Start all replicas of an API anew, a few at a time; no request is lost.

    Example: cortex refresh iris
    """
    from cortex_sdk import _verbs  # noqa: PLC0415  # not for --help

    _write(_verbs.refresh(_verbs.find(name, target)), output)


def _write(deployment: "Deployment", output: Output) -> None:
    status = deployment.status()
    if output is Output.JSON:
        console.write_json(status.as_dict())
        return
    from cortex_sdk._rendering import replicas_as_text  # noqa: PLC0415  # not for --help

    console.write_pairs(
        {"endpoint": status.endpoint, "replicas": replicas_as_text(status)}
    )
