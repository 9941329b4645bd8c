"""`cortex logs`: what the replicas of an API wrote, for people or as it was."""

import json
import zlib
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from cortex_sdk.cli import console
from cortex_sdk.cli.arguments import Format, Name, Target
from cortex_sdk.cli.console import Output

_LEVELS = {
    "debug": "dim",
    "info": "green",
    "warning": "yellow",
    "error": "bold red",
    "critical": "bold red",
}
_LEVEL_WIDTH = len("warning")
_REPLICAS = ("cyan", "magenta", "blue", "yellow", "green")
_SHOWN_ELSEWHERE = {"timestamp", "level", "event", "api", "revision", "replica"}
_CONTROLS = {
    code: f"\\x{code:02x}" for code in (*range(32), 127) if chr(code) not in "\t\n"
}


def logs(
    name: Name,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Wait for new lines until Ctrl-C.")
    ] = False,
    tail: Annotated[
        int | None,
        typer.Option(
            metavar="LINES", min=0, help="Only the last so many already written."
        ),
    ] = None,
    target: Target = None,
    output: Format = Output.TABLE,
) -> None:
    """Show the log of an API; with `-o json` its lines as they were written.

    Example: cortex logs iris --follow --tail 20
    """
    from cortex_sdk import _verbs  # noqa: PLC0415  # not for --help

    deployment = _verbs.find(name, target)
    is_empty = True
    for line in deployment.target.logs(name, follow=follow, tail=tail):
        is_empty = False
        if output is Output.JSON:
            console.write(line.text)
        else:
            console.write(readable(line.text, line.replica))
    if is_empty and tail != 0:
        console.say(f"{name} has logged nothing yet", style="dim")


def readable(line: str, replica: str) -> Text:
    """One line of a log for people: time, level, event, the rest, who wrote it."""
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict):
        entry = {"event": line}
    level = str(entry.get("level", ""))
    text = Text.assemble(
        (_local_time(entry.get("timestamp")), "dim"),
        (f"  {level:<{_LEVEL_WIDTH}}  ", _LEVELS.get(level, "")),
        _safe(str(entry.get("event", ""))),
    )
    for key, value in _extras(entry).items():
        text.append(f"  {key}=", style="dim").append(value)
    text.append(f"  {_safe(replica)}", style=_colour(replica))
    for block in _multiline(entry).values():
        text.append(f"\n{block}", style="dim")
    return text


def _extras(entry: dict[str, Any]) -> dict[str, str]:
    return {
        _safe(key): _safe(value if isinstance(value, str) else json.dumps(value))
        for key, value in entry.items()
        if key not in _SHOWN_ELSEWHERE and value is not None and not _is_block(value)
    }


def _multiline(entry: dict[str, Any]) -> dict[str, str]:
    """Values of several lines, such as a traceback, indented below their line."""
    return {
        key: "\n".join(f"    {_safe(part)}" for part in value.strip().split("\n"))
        for key, value in entry.items()
        if key not in _SHOWN_ELSEWHERE and _is_block(value)
    }


def _is_block(value: object) -> bool:
    return isinstance(value, str) and "\n" in value


def _local_time(stamp: object) -> str:
    try:
        moment = datetime.fromisoformat(str(stamp)).astimezone()
    except ValueError:
        return " " * len("2026-01-31 12:00:00.000")
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}"


def _colour(replica: str) -> str:
    return _REPLICAS[zlib.crc32(replica.encode()) % len(_REPLICAS)]


def _safe(text: str) -> str:
    """A log must not move the cursor of whoever reads it."""
    return text.translate(_CONTROLS)
