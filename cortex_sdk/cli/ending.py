"""`cortex delete` and `cortex stop`: ending APIs, and ending what keeps them."""

from typing import TYPE_CHECKING, Annotated

import typer

from cortex_sdk.cli import console
from cortex_sdk.cli.arguments import Format, Target, complete
from cortex_sdk.cli.console import Output
from cortex_sdk.errors import CortexError

if TYPE_CHECKING:
    from cortex_sdk._deployment import Deployment


def delete(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME", help="Names of the APIs.", autocompletion=complete
        ),
    ] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="All APIs.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    target: Target = None,
    output: Format = Output.TABLE,
) -> None:
    """End APIs; accepted requests are answered first.

    Example: cortex delete iris --yes
    """
    if bool(names) == everything:
        msg = "Name the APIs to delete, or give --all"
        raise typer.BadParameter(msg, param_hint="NAME")
    found = _all(target) if everything else _named(names or [], target)
    if found and not yes:
        _make_sure(found)
    results = [_delete(deployment) for deployment in found]
    if output is Output.JSON:
        console.write_json(results)
    elif not results:
        console.say("there is nothing to delete")
    if any(result["error"] for result in results):
        raise typer.Exit(1)


def _named(names: list[str], target: str | None) -> "list[Deployment]":
    from cortex_sdk import _verbs  # noqa: PLC0415  # not for --help

    return [_verbs.find(name, target) for name in dict.fromkeys(names)]


def _all(target: str | None) -> "list[Deployment]":
    from cortex_sdk._targets import target_of  # noqa: PLC0415  # not for --help

    return _named([status.name for status in target_of(target).list()], target)


def _make_sure(found: "list[Deployment]") -> None:
    what = ", ".join(deployment.name for deployment in found)
    if not console.can_ask():
        msg = f"deleting {what} needs --yes where nobody can be asked"
        raise typer.BadParameter(msg, param_hint="--yes")
    if not console.ask(f"Delete {what} on {found[0].target.name}?"):
        console.say("nothing was deleted")
        raise typer.Exit(1)


def _delete(deployment: "Deployment") -> dict[str, str | None]:
    try:
        deployment.delete()
    except CortexError as error:
        console.say_error(error, of=deployment.name)
        return {"name": deployment.name, "error": str(error)}
    console.say_done(f"{deployment.name} is deleted")
    return {"name": deployment.name, "error": None}


def stop(target: Target = None, output: Format = Output.TABLE) -> None:
    """End agent, gateway and replicas; the next deploy starts them again.

    Example: cortex stop
    """
    from cortex_sdk._targets import target_of  # noqa: PLC0415  # not for --help

    chosen = target_of(target)
    chosen.stop()
    console.say_done(f"{chosen.name} is stopped")
    if output is Output.JSON:
        console.write_json({"target": chosen.name, "stopped": True})
