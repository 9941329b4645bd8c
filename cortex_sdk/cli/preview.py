"""`cortex preview`: what a deploy would change, before it does."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cortex_sdk.cli import console
from cortex_sdk.cli.arguments import Apps, Format, Target
from cortex_sdk.cli.console import Output

if TYPE_CHECKING:
    from cortex_sdk._preview import Effect, Preview

_COLOURS = {"create": "green", "update": "yellow", "replace": "red", "delete": "red"}


def preview(
    apps: Apps,
    *,
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Write a plan, to be carried out by `cortex deploy --plan`.",
        ),
    ] = None,
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Show what others changed there, too."),
    ] = False,
    target: Target = None,
    output: Format = Output.TABLE,
) -> None:
    """Show what a deploy would change, for callers and on the target.

    Example: cortex preview app.py --target prod
    """
    from cortex_sdk import _verbs  # noqa: PLC0415  # not for --help
    from cortex_sdk.cli.deploy import declared  # noqa: PLC0415  # same

    apis = [api for app in apps for api in declared(app)]
    if save is not None and len(apis) > 1:
        msg = f"it holds one API, but {len(apis)} are declared"
        raise typer.BadParameter(msg, param_hint="--save")
    shown = [_verbs.preview(api, target, refresh=refresh, save=save) for api in apis]
    if output is Output.JSON:
        console.write_json([one.as_dict() for one in shown])
        return
    for number, one in enumerate(shown):
        if number:
            console.write("")
        _write(one)
    if save is not None:
        console.say_done(f"the plan is in {save}")


def _write(preview: "Preview") -> None:
    from cortex_sdk._rendering import preview_title  # noqa: PLC0415  # not for --help

    console.write(Text(preview_title(preview), style="bold"))
    if not preview.changed:
        return
    console.write_pairs({effect.what: _effect(effect) for effect in preview.effects})
    if preview.resources:
        rows: list[list[str | Text]] = [
            [
                Text(one.operation, style=_COLOURS[one.operation]),
                one.kind,
                one.name,
                ", ".join(one.paths),
            ]
            for one in preview.resources
        ]
        console.write("")
        head = ["CHANGE", "KIND", "NAME", "WHAT"]
        console.write_columns([head, *rows], crop=True)


def _effect(effect: "Effect") -> Text:
    from cortex_sdk._rendering import effect_as_text  # noqa: PLC0415  # see above

    return Text(effect_as_text(effect), style="yellow" if effect.is_change else "")
