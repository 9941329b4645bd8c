"""`cortex render`: what a deploy would make, as YAML for other tools."""

from pathlib import Path
from typing import Annotated

import typer

from cortex_sdk.cli import console
from cortex_sdk.cli.arguments import Target


def render(
    app: Annotated[
        str,
        typer.Argument(
            metavar="APP", help="Python file, or module:object, of SyncAPIs."
        ),
    ],
    *,
    into: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="DIR", help="Folder for a file per object."
        ),
    ] = "-",
    secrets: Annotated[
        bool,
        typer.Option("--secrets", help="Write the values of secrets, too."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that are there.")
    ] = False,
    target: Target = None,
) -> None:
    """Write the Kubernetes objects that a deploy would make, as YAML.

    Example: cortex render app.py --target prod -o manifests
    """
    from cortex_sdk.cli.deploy import declared  # noqa: PLC0415  # not for --help
    from cortex_sdk.kubernetes import rendering  # noqa: PLC0415  # same
    from cortex_sdk.kubernetes.outside import planned  # noqa: PLC0415  # same

    plans = [planned(api, target)[1] for api in declared(app)]
    objects = [
        each
        for plan in plans
        for each in rendering.manifests(plan.args, secrets=secrets)
    ]
    if into == "-":
        console.write(rendering.text(objects), end="")
    else:
        _write(Path(into), objects, secrets=secrets, force=force)
    for plan in () if secrets else plans:
        for said in rendering.left_out(plan.args):
            console.say(f"{plan.name}: {said}", style="yellow")


def _write(
    folder: Path, objects: list[dict[str, object]], *, secrets: bool, force: bool
) -> None:
    from cortex_sdk.cli.writing import write_files  # noqa: PLC0415  # see above
    from cortex_sdk.kubernetes import rendering  # noqa: PLC0415  # see above

    named = rendering.file_names(objects)
    files = {name: rendering.text([each]).encode() for name, each in named.items()}
    write_files(folder, files, force=force, private=secrets)
    console.say_done(f"{len(files)} files are in {folder}")
