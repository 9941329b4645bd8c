"""The verbs that join a declaration and a target."""

import difflib
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cortex_sdk._deployment import Deployment
from cortex_sdk._progress import display
from cortex_sdk._target import Applied, Bounds, Progress, Target
from cortex_sdk._targets import target_of
from cortex_sdk.errors import CortexError, NotFoundError

if TYPE_CHECKING:
    from cortex_sdk._preview import Preview
    from cortex_sdk.declaration.deployable import Deployable


def deploy(
    thing: "Deployable",
    target: str | Target | None,
    progress: Progress | None,
    *,
    saved: Path | None = None,
    refresh: bool = False,
) -> Deployment:
    """Bring a target into the declared state; see Deployable.deploy and Target.plan."""
    chosen = target_of(target)

    def work(say: Progress) -> Applied:
        say(thing.first_step)
        return chosen.apply(chosen.plan(thing, saved=saved, refresh=refresh), say)

    return _deployment(_shown(thing.name, work, progress), chosen)


def preview(
    thing: "Deployable",
    target: str | Target | None,
    *,
    refresh: bool = False,
    save: Path | None = None,
) -> "Preview":
    """What a deploy would change; see Deployable.preview."""
    return target_of(target).preview(thing, refresh=refresh, save=save)


def rollback(
    deployment: Deployment, revision: str | None, progress: Progress | None = None
) -> Deployment:
    """Make an earlier revision serve again, unset the one before the current."""
    target, name = deployment.target, deployment.name

    def work(say: Progress) -> Applied:
        return target.rollback(name, revision, say)

    return _deployment(_shown(name, work, progress), target)


def scale(
    deployment: Deployment, bounds: Bounds, progress: Progress | None = None
) -> Deployment:
    """Move the bounds of the replica count."""
    target, name = deployment.target, deployment.name

    def work(say: Progress) -> Applied:
        return target.scale(name, bounds, say)

    return _deployment(_shown(name, work, progress), target)


def refresh(deployment: Deployment, progress: Progress | None = None) -> Deployment:
    """Start all replicas anew."""
    target, name = deployment.target, deployment.name

    def work(say: Progress) -> Applied:
        return target.refresh(name, say)

    return _deployment(_shown(name, work, progress), target)


def find(name: str, target: str | Target | None) -> Deployment:
    """The API of that name as a target has it.

    Raises:
        NotFoundError: There is none; the message has the nearest name.
    """
    chosen = target_of(target)
    try:
        status = chosen.status(name)
    except NotFoundError as error:
        raise NotFoundError(_not_found(name, chosen)) from error
    return Deployment(
        name=status.name,
        endpoint=status.endpoint,
        revision=status.revision,
        changed=False,
        target=chosen,
    )


def _shown(
    name: str, work: Callable[[Progress], Applied], progress: Progress | None
) -> Applied:
    """Do the work, and show how it moves on unless somebody else does."""
    if progress is not None:
        return work(progress)
    began = time.monotonic()
    with display(name) as shown:
        applied = work(shown.step)
        shown.end(_outcome(applied, time.monotonic() - began))
    return applied


def _deployment(applied: Applied, target: Target) -> Deployment:
    return Deployment(
        name=applied.name,
        endpoint=applied.endpoint,
        revision=applied.revision,
        changed=applied.changed,
        target=target,
    )


def _outcome(applied: Applied, seconds: float) -> str:
    if not applied.changed:
        return f"is up to date at {applied.endpoint} (revision {applied.revision})"
    return (
        f"is live at {applied.endpoint} (revision {applied.revision}, {seconds:.1f} s)"
    )


def _not_found(name: str, target: Target) -> str:
    names: list[str] = []
    with suppress(CortexError):  # the list is only needed for a hint
        names = [status.name for status in target.list()]
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]!r}?" if near else "see `cortex get`"
    return f"there is no API {name!r} on {target.name}; {hint}"
