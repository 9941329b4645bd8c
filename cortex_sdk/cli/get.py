"""`cortex get`: what a target says about its APIs."""

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cortex_sdk.cli import console
from cortex_sdk.cli.arguments import Format, Target, complete
from cortex_sdk.cli.console import Output
from cortex_sdk.errors import CortexError

if TYPE_CHECKING:
    from cortex_sdk import _target

_COLOURS = {"live": "green", "updating": "yellow", "error": "red", "stopped": "dim"}


def get(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Name of an API or splitter; unset, all.",
            autocompletion=complete,
        ),
    ] = None,
    target: Target = None,
    output: Format = Output.TABLE,
) -> None:
    """Show all APIs and splitters, or one in full.

    Example: cortex get iris -o json
    """
    if name is None:
        _show_all(target, output)
    else:
        _show_one(name, target, output)


def _show_all(target: str | None, output: Output) -> None:
    from cortex_sdk._targets import target_of  # noqa: PLC0415  # not for --help

    chosen = target_of(target)
    statuses = chosen.list()
    if output is Output.JSON:
        console.write_json([status.as_dict() for status in statuses])
    elif statuses:
        _write_table(statuses)
    else:
        console.say(f"no APIs on {chosen.name}; deploy one: cortex deploy app.py")


def _write_table(statuses: "list[_target.Status]") -> None:
    head = ["NAME", "STATUS", "REPLICAS", "REVISION", "ENDPOINT"]
    rows: list[list[str | Text]] = [
        [
            Text(status.name, style="bold"),
            _state(status),
            "" if status.traffic else _ready(status),
            status.revision,
            status.endpoint,
        ]
        for status in statuses
    ]
    if any(status.traffic for status in statuses):
        head.append("TRAFFIC")
        for row, status in zip(rows, statuses, strict=True):
            row.append(str(status.traffic or ""))
    has_reasons = any(status.reason for status in statuses)
    if has_reasons:
        head.append("REASON")
        for row, status in zip(rows, statuses, strict=True):
            row.append(_first_line(status.reason))
    console.write_columns([head, *rows], crop=has_reasons)


def _show_one(name: str, target: str | None, output: Output) -> None:
    from cortex_sdk import _verbs  # noqa: PLC0415  # not for --help

    deployment = _verbs.find(name, target)
    status = deployment.status()
    if output is Output.JSON:
        console.write_json(status.as_dict())
        return
    console.write_pairs(_details(status) | _counted(deployment.target, name))


def _details(status: "_target.Status") -> dict[str, str | Text]:
    from cortex_sdk._rendering import replicas_as_text  # noqa: PLC0415  # see above

    return {
        "name": Text(status.name, style="bold"),
        "status": _state(status),
        **({"reason": status.reason} if status.reason else {}),
        "endpoint": status.endpoint,
        **(
            status.traffic.rows()
            if status.traffic
            else {"replicas": replicas_as_text(status)}
        ),
        "revision": status.revision or "none",
        "target": status.target,
    }


def _counted(target: "_target.Target", name: str) -> dict[str, str]:
    from cortex_sdk._rendering import metrics_as_rows  # noqa: PLC0415  # see above

    with suppress(CortexError):  # no replica to ask: the status says why
        return metrics_as_rows(target.metrics(name))
    return {}


def _ready(status: "_target.Status") -> str:
    return f"{status.replicas.live}/{status.replicas.desired}"


def _state(status: "_target.Status") -> Text:
    return Text(f"● {status.status}", style=_COLOURS[status.status])


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
