"""`cortex deploy`: from a file to endpoints, and what to do with them next."""

import json
import shlex
import sys
from collections import Counter
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from cortex_sdk.cli import console
from cortex_sdk.cli.arguments import Apps, Format, Target
from cortex_sdk.cli.console import Output
from cortex_sdk.cli.predict import payload_of
from cortex_sdk.errors import CortexError, DeployError, InvalidSpecError

if TYPE_CHECKING:
    from cortex_sdk._deployment import Deployment
    from cortex_sdk.declaration.deployable import Deployable


@dataclass(slots=True)
class _Outcome:
    """What became of one API."""

    name: str
    deployment: "Deployment | None" = None
    error: CortexError | None = None
    answer: Any = None
    was_tried: bool = False

    def as_dict(self) -> dict[str, Any]:
        there = self.deployment
        return {
            "name": self.name,
            "target": there.target.name if there else None,
            "endpoint": there.endpoint if there else None,
            "revision": there.revision if there else None,
            "changed": there.changed if there else None,
            "answer": _plain(self.answer),
            "error": str(self.error) if self.error else None,
        }


@dataclass(frozen=True, slots=True)
class _How:
    """What goes for all APIs of a command line."""

    target: str | None
    plan: Path | None
    refresh: bool
    is_alone: bool
    """Whether there is one API, so that nobody asks which one is meant."""


def deploy(  # options of a command
    apps: Apps,
    payload: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Send this payload afterwards and show the answer.",
        ),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Do what this file says, which `cortex preview --save` wrote, and"
            " nothing else.",
        ),
    ] = None,
    *,
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Undo what others changed there, too."),
    ] = False,
    target: Target = None,
    output: Format = Output.TABLE,
) -> None:
    """Deploy all that a file declares, APIs first, and wait until it serves.

    Example: cortex deploy app.py --payload sample.json
    """
    apis = _distinct([api for app in apps for api in declared(app)])
    for given, option in ((payload, "--payload"), (plan, "--plan")):
        if given is not None and len(apis) > 1:
            msg = f"it goes to one API, but {len(apis)} are declared"
            raise typer.BadParameter(msg, param_hint=option)
    how = _How(target, plan, refresh=refresh, is_alone=len(apis) == 1)
    outcomes = [_deploy(api, how) for api in apis]
    if payload is not None:
        _try(outcomes[0], payload)
    _write(outcomes, output)
    if any(outcome.error for outcome in outcomes):
        _say_what_failed(outcomes)
        raise typer.Exit(1)
    _say_what_next(outcomes[0].name, payload, target)


def declared(app: str) -> "list[Deployable]":
    """What a file declares; after a colon, the name or the variable of one API."""
    from cortex_sdk.project.loading import load  # noqa: PLC0415  # not for --help

    source, _, chosen = app.partition(":")
    # What a file prints while it is imported is no output of ours.
    with redirect_stdout(sys.stderr):
        if not chosen:
            return load(app)
        return [api for api in load(source) if api.name == chosen] or load(app)


def _distinct(apis: "list[Deployable]") -> "list[Deployable]":
    for name, count in Counter(api.name for api in apis).items():
        if count > 1:
            msg = (
                f"the name {name!r} is declared {count} times; give each API a name"
                ' of its own, as in `SyncAPI(…, name="other")`'
            )
            raise InvalidSpecError(msg)
    return sorted(apis, key=lambda thing: thing.rank)


def _deploy(api: "Deployable", how: _How) -> _Outcome:
    from cortex_sdk import _verbs  # noqa: PLC0415  # not for --help

    try:
        deployment = _verbs.deploy(
            api, how.target, None, saved=how.plan, refresh=how.refresh
        )
        return _Outcome(api.name, deployment=deployment)
    except CortexError as error:
        console.say_error(error, of="" if how.is_alone else api.name)
        if isinstance(error, DeployError):
            _say_what_serves(api.name, how.target)
        return _Outcome(api.name, error=error)


def _say_what_serves(name: str, target: str | None) -> None:
    from cortex_sdk._targets import target_of  # noqa: PLC0415  # not for --help

    with suppress(CortexError):
        status = target_of(target).status(name)
        if status.replicas.live:
            still = f"{name} serves on as it was (revision {status.revision})"
            console.say(still, style="yellow")


def _try(outcome: _Outcome, payload: Path) -> None:
    from cortex_sdk import _call  # noqa: PLC0415  # not for --help

    if (there := outcome.deployment) is None:
        return
    content, kind = payload_of(str(payload))
    outcome.was_tried = True
    try:
        with there.target.reach(there.name, there.endpoint) as at:
            outcome.answer = _call.send(
                at.url, content, kind, timeout=600, host=at.host
            )
    except CortexError as error:
        console.say_error(error)
        outcome.error = error


def _write(outcomes: list[_Outcome], output: Output) -> None:
    deployments = [o.deployment for o in outcomes if o.deployment is not None]
    if output is Output.JSON:
        console.write_json([outcome.as_dict() for outcome in outcomes])
    elif len(outcomes) > 1 and deployments:
        rows = [(d.name, d.revision, d.endpoint) for d in deployments]
        console.write_columns([("NAME", "REVISION", "ENDPOINT"), *rows])
    elif deployments:
        _write_one(outcomes[0], deployments[0])


def _write_one(outcome: _Outcome, deployment: "Deployment") -> None:
    pairs: dict[str, str | Text] = {"endpoint": deployment.endpoint}
    if outcome.was_tried and not outcome.error:
        pairs["answer"] = _short(outcome.answer)
    console.write_pairs(pairs)


def _plain(answer: Any) -> Any:  # noqa: ANN401  # user's data
    return f"{len(answer)} bytes" if isinstance(answer, bytes) else answer


def _short(answer: Any) -> str:  # noqa: ANN401  # user's data
    plain = _plain(answer)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _say_what_failed(outcomes: list[_Outcome]) -> None:
    failed = [outcome.name for outcome in outcomes if outcome.error]
    if len(outcomes) > 1:
        names = ", ".join(failed)
        console.say(f"{len(failed)} of {len(outcomes)} failed: {names}", style="red")


def _say_what_next(name: str, payload: Path | None, target: str | None) -> None:
    on = f" --target {shlex.quote(target)}" if target else ""
    file = shlex.quote(str(payload)) if payload else "FILE"
    commands = {
        f"cortex predict {name} {file}{on}": "send a payload",
        f"cortex get {name}{on}": "see how it is doing",
        f"cortex logs {name} --follow{on}": "watch its log",
        f"cortex delete {name}{on}": "end it",
    }
    width = max(map(len, commands))
    console.say("\nNext", style="bold")
    for command, what in commands.items():
        line = (f"  {command:<{width}}   ", "cyan"), (what, "dim")
        console.say(Text.assemble(*line))
