"""`cortex cluster`: what a cluster needs before the first API is deployed to it."""

from typing import TYPE_CHECKING, Annotated

import typer

from cortex_sdk.cli import console
from cortex_sdk.cli.arguments import Format, Target
from cortex_sdk.cli.console import Output
from cortex_sdk.errors import UnsupportedError

if TYPE_CHECKING:
    from cortex_sdk._target import Target as AnyTarget
    from cortex_sdk.kubernetes.platform import HasSite
    from cortex_sdk.kubernetes.platform.overview import Info


def up(target: Target = None, output: Format = Output.TABLE) -> None:
    """Make a cluster ready for APIs: gateway and autoscaler, unless they are there.

    Example: cortex cluster up --target kubernetes
    """
    from cortex_sdk import _progress  # noqa: PLC0415  # not for --help
    from cortex_sdk.kubernetes import platform  # noqa: PLC0415  # not for --help

    chosen = _cluster(target)
    with _progress.display(chosen.name) as display:
        info = platform.up(_site(chosen), display.step)
        display.end(_end(info))
    _show(info, output)


def info(target: Target = None, output: Format = Output.TABLE) -> None:
    """Show what a cluster has, where its gateway is, and what runs on it.

    Example: cortex cluster info --target kubernetes
    """
    from cortex_sdk.kubernetes import platform  # noqa: PLC0415  # not for --help

    _show(platform.info(_site(_cluster(target))), output)


def down(
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Even if APIs or others use it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    target: Target = None,
    output: Format = Output.TABLE,
) -> None:
    """Take away what `cortex cluster up` put on a cluster.

    Example: cortex cluster down --target kubernetes --yes
    """
    from cortex_sdk import _progress  # noqa: PLC0415  # not for --help
    from cortex_sdk.kubernetes import platform  # noqa: PLC0415  # not for --help

    chosen = _cluster(target)
    if not yes:
        _make_sure(chosen.name)
    with _progress.display(chosen.name) as display:
        removed = platform.down(_site(chosen), display.step, force=force)
        display.end("the platform is gone" if removed else "there was no platform")
    if output is Output.JSON:
        console.write_json({"target": chosen.name, "removed": removed})


def _cluster(name: str | None) -> "AnyTarget":
    from cortex_sdk._targets import target_of  # noqa: PLC0415  # not for --help

    chosen = target_of(name)
    if not hasattr(chosen, "site"):
        msg = (
            f'the target "{chosen.name}" is no cluster; name one that is, such as'
            " --target kubernetes"
        )
        raise UnsupportedError(msg)
    return chosen


def _site(chosen: "AnyTarget") -> "HasSite":
    return chosen  # type: ignore[return-value]  # `_cluster` has looked


def _make_sure(name: str) -> None:
    if not console.can_ask():
        msg = (
            f"taking down the platform of {name} needs --yes where nobody can be asked"
        )
        raise typer.BadParameter(msg, param_hint="--yes")
    if not console.ask(f"Take gateway, autoscaler and their CRDs off {name}?"):
        console.say("nothing was changed")
        raise typer.Exit(1)


def _end(info: "Info") -> str:
    told = "; ".join(info.missing) or "ready for APIs"
    return told if info.changed else f"{told}; nothing was to be changed"


def _show(info: "Info", output: Output) -> None:
    if output is Output.JSON:
        console.write_json(info.as_dict())
    else:
        console.write_pairs(info.as_rows())
