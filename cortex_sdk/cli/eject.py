"""`cortex eject`: an API as a Pulumi project that needs its declaration no more."""

from pathlib import Path
from typing import Annotated

import typer

from cortex_sdk.cli import console
from cortex_sdk.cli.arguments import Target


def eject(
    app: Annotated[
        str,
        typer.Argument(
            metavar="APP", help="Python file, or module:object, of a SyncAPI."
        ),
    ],
    *,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--dir",
            metavar="DIR",
            file_okay=False,
            help="Folder of the project; unset, the name of the API.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that are there.")
    ] = False,
    target: Target = None,
) -> None:
    """Write a Pulumi project that deploys an API without its declaration.

    Example: cortex eject app.py --target prod --dir iris-pulumi
    """
    from cortex_sdk.cli.deploy import declared  # noqa: PLC0415  # not for --help
    from cortex_sdk.cli.writing import write_files  # noqa: PLC0415  # same
    from cortex_sdk.kubernetes.ejection import project  # noqa: PLC0415  # same
    from cortex_sdk.kubernetes.opened import cluster_of  # noqa: PLC0415  # same
    from cortex_sdk.kubernetes.outside import (  # noqa: PLC0415  # same
        planned,
        state_variables,
    )
    from cortex_stacks.standalone import commands  # noqa: PLC0415  # same

    apis = declared(app)
    if len(apis) > 1:
        names = ", ".join(api.name for api in apis)
        msg = f"it declares {names}; choose one, as in {app}:{apis[0].name}"
        raise typer.BadParameter(msg, param_hint="APP")
    where, plan = planned(apis[0], target)
    files = project(plan.args, cluster_of(where), state_variables(where))
    folder = folder or Path(plan.name)
    write_files(folder, files, force=force)
    console.say_done(f"the project is in {folder}; its README.md has the commands")
    for command in commands(plan.args):
        console.say(f"a secret is to be set there: {command}", style="yellow")
