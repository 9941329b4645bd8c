"""The verbs of the command line, and what its help says."""

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from cortex_sdk.cli import cluster
from cortex_sdk.cli.deploy import deploy
from cortex_sdk.cli.eject import eject
from cortex_sdk.cli.ending import delete, stop
from cortex_sdk.cli.get import get
from cortex_sdk.cli.logs import logs
from cortex_sdk.cli.predict import predict
from cortex_sdk.cli.preview import preview
from cortex_sdk.cli.render import render
from cortex_sdk.cli.revisions import history, rollback
from cortex_sdk.cli.scale import refresh, scale
from cortex_sdk.cli.serve import serve
from cortex_sdk.cli.version import version

_PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "Put an API there": (deploy, preview, serve),
    "Use and watch it": (get, logs, predict),
    "Change what is there": (scale, refresh, history, rollback, delete, stop),
    "Take it elsewhere": (render, eject),
    "About": (version,),
}
_CLUSTER = (cluster.up, cluster.info, cluster.down)
_EXIT_CODES = (
    "[bold]Exit codes[/]: 0 done, 1 failed, 2 wrong command line, 130 interrupted.\n"
    "Data goes to standard output, everything else to standard error."
)


def _without_type(parameters: list[Any]) -> list[Any]:
    """A flag takes no value, so the help names no type for it."""
    for parameter in parameters:
        if getattr(parameter, "is_flag", False) and parameter.metavar is None:
            parameter.metavar = ""
    return parameters


class _Verb(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401  # typer's own
        return _without_type(super().get_params(ctx))


class _Verbs(TyperGroup):
    def get_params(self, ctx: Any) -> list[Any]:  # noqa: ANN401  # typer's own
        return _without_type(super().get_params(ctx))


app = typer.Typer(
    name="cortex",
    cls=_Verbs,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["--help", "-h"]},
    epilog=_EXIT_CODES,
)


@app.callback(invoke_without_command=True)
def cortex(
    context: typer.Context,
    *,
    show_version: Annotated[
        bool, typer.Option("--version", help="The same as `cortex version`.")
    ] = False,
) -> None:
    """Turn a Python class into a production HTTP API.

    Example: cortex deploy app.py --payload sample.json
    """
    if show_version:
        version()
        raise typer.Exit
    if context.invoked_subcommand is None:
        context.get_help()


clusters = typer.Typer(
    name="cluster",
    cls=_Verbs,
    help="Prepare a cluster for APIs, and look at it.",
    no_args_is_help=True,
)
for _verb in _CLUSTER:
    clusters.command(cls=_Verb)(_verb)


for _panel, _verbs in _PANELS.items():
    for _verb in _verbs:
        app.command(cls=_Verb, rich_help_panel=_panel)(_verb)
app.add_typer(clusters, rich_help_panel="Prepare a cluster")
