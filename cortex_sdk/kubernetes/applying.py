"""Carrying out a plan: make it serve, or leave what served before."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cortex_sdk._target import Applied, Progress
from cortex_sdk.errors import DeployError
from cortex_sdk.kubernetes import releases, splitter, storage
from cortex_sdk.kubernetes.opened import Opened, cluster_of
from cortex_sdk.kubernetes.plan import KubernetesPlan, SavedPlan
from cortex_sdk.kubernetes.rollout import Rollout
from cortex_sdk.kubernetes.splitter import SplitterPlan
from cortex_sdk.kubernetes.undoing import undo
from cortex_sdk.local.home import Home
from cortex_stacks.api import program
from cortex_stacks.args import SyncAPIArgs

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.target import Kubernetes


def apply(
    target: "Kubernetes", plan: KubernetesPlan | SplitterPlan, progress: Progress
) -> Applied:
    """Make it serve; see Kubernetes.apply."""
    if isinstance(plan, SplitterPlan):
        return splitter.apply(target, plan, progress)
    opened = Opened.of(target)
    if plan.key:
        _keep_key(plan.key)
    if plan.upload is not None and target.storage is not None:
        progress(f"writing the project to {target.storage}")
        storage.put(plan.upload, target.storage)
    if plan.makes_namespace:
        progress(f"making the namespace {opened.namespace}")
        _make_namespace(opened)
    changed = _change(opened, plan, progress)
    releases.prune(opened, plan.name, plan.revision)
    return Applied(plan.name, plan.endpoint, plan.revision, changed=changed)


def _change(opened: Opened, plan: KubernetesPlan, progress: Progress) -> bool:
    """Whether anything was different."""
    args, engine = plan.args, opened.engine()
    before = _before(opened, plan)
    known = {releases.revision(each) for each in releases.kept(opened, plan.name)}
    rollout = Rollout(opened, plan.name, plan.revision, progress)
    try:
        with _plan_file(plan.saved) as file:
            outcome = engine.up(
                args.stack,
                program(cluster_of(opened.target), args),
                progress,
                plan=file,
                refresh=plan.refresh,
                abort=rollout,
            )
    except DeployError as error:
        rollout()  # pods may have said more than the engine waited for
        _undo(opened, args, before, progress)
        if before is not None and args.revision not in known:
            name = f"{args.name}-{args.revision}"
            opened.access.delete("v1", "Secret", name, args.namespace)
        raise _explained(error, rollout) from None
    return outcome.changed


def _before(opened: Opened, plan: KubernetesPlan) -> SyncAPIArgs | None:
    """What serves, with all its files, so that it can be applied again."""
    if plan.current is None:
        return None
    past = plan.current.args
    before = releases.load(opened, plan.name, past.revision, past.keys)
    return replace(before, features=plan.args.features)


def _undo(
    opened: Opened, args: SyncAPIArgs, before: SyncAPIArgs | None, progress: Progress
) -> None:
    run = program(cluster_of(opened.target), before) if before else None
    said = f"going back to revision {before.revision}" if before else ""
    undo(opened.engine(), args.stack, run, said, progress)


def _explained(error: DeployError, rollout: Rollout) -> DeployError:
    """With what the pods said, if they did."""
    trouble = rollout.trouble
    if trouble is None:
        return error
    hint = ""
    if "ModuleNotFoundError" in trouble.reason:
        hint = "; name the package in `requirements`"
    return DeployError(f"{trouble.reason}{hint}", trouble.traceback)


@contextmanager
def _plan_file(saved: SavedPlan | None) -> Iterator[Path | None]:
    """What the engine reads a saved plan from."""
    if saved is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="cortex-") as folder:
        path = Path(folder, "plan.json")
        path.write_text(json.dumps(saved.changes))
        yield path


def _make_namespace(opened: Opened) -> None:
    labels = {"app.kubernetes.io/managed-by": "cortex-sdk"}
    metadata = {"name": opened.namespace, "labels": labels}
    opened.access.create(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    )


def _keep_key(key: bytes) -> None:
    """So that an unchanged secret is known to be unchanged the next time."""
    home = Home.of_user()
    with home.writing():
        home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.keep_key(key)
