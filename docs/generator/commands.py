"""The page with every command of `cortex`."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import typer
from generator.table import Row, table

from cortex_sdk.cli.app import app

INTRODUCTION = """\
# The command line

`cortex VERB …`. Data goes to standard output, everything else to standard error; in a
pipe nothing is coloured, wrapped or cut off. `-o json` makes the data JSON.

| Exit code | Meaning |
| --- | --- |
| 0 | done |
| 1 | failed: one sentence on standard error says why |
| 2 | wrong command line |
| 130 | interrupted |

`cortex --install-completion` teaches your shell to complete verbs, options and the
names of APIs.

| Variable | Meaning |
| --- | --- |
| `CORTEX_TARGET` | the target of every verb that is not given one; unset, `local` |
| `CORTEX_HOME` | folder of the local target; unset, `~/.cortex` |
| `CORTEX_GATEWAY_PORT` | port of the local gateway; unset, 8077 |
| `CORTEX_API_KEY` | API key that `predict` and `deploy --payload` send |
| `CORTEX_BUNDLE_LIMIT` | largest project, at most `1Gi`; unset, `512Mi` |"""


def command_page() -> str:
    """The whole page, without the note that it is generated."""
    commands = typer.main.get_command(app).commands.items()  # type: ignore[attr-defined]  # a group
    sections = [INTRODUCTION]
    for panel, members in groupby(commands, lambda item: item[1].rich_help_panel):
        sections.append(f"## {panel}")
        for name, command in members:
            sections += [_section(*verb) for verb in _verbs(name, command)]
    return "\n\n".join(sections) + "\n"


def _verbs(name: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # typer's own
    """The command itself, or those of a group with the name of the group."""
    members = getattr(command, "commands", None)
    if members is None:
        yield name, command
    else:
        for each, member in members.items():
            yield f"{name} {each}", member


def _section(name: str, command: Any) -> str:  # noqa: ANN401  # typer's own
    what, _, example = command.help.partition("\n\nExample: ")
    context = typer.Context(command, info_name=f"cortex {name}")
    rows = [_row(parameter, context) for parameter in command.params]
    head = ("", "Default", "Meaning")
    return (
        f"### cortex {name}\n\n{what}\n\n```text\n{example}\n```\n\n{table(head, rows)}"
    )


def _row(parameter: Any, context: typer.Context) -> Row:  # noqa: ANN401  # typer's own
    kind = parameter.metavar or parameter.display_type(context).strip("<>")
    if parameter.param_type_name == "argument":
        several = " …" if parameter.nargs != 1 else ""
        return f"`{kind}{several}`", "", parameter.help
    *short, last = sorted(parameter.opts, key=len)
    value = "" if parameter.is_flag else f" {kind.removesuffix(' range')}"
    names = [*short, f"{last}{value}"]
    return ", ".join(f"`{each}`" for each in names), _default(parameter), parameter.help


def _default(parameter: Any) -> str:  # noqa: ANN401  # typer's own
    value = parameter.default
    return "" if value is None or value is False else f"`{value}`"
