"""What a deploy to a cluster would change: for callers, and object by object."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cortex_sdk._preview import Preview, effects_of
from cortex_sdk._target import silent
from cortex_sdk.errors import UnsupportedError
from cortex_sdk.kubernetes import splitter
from cortex_sdk.kubernetes.opened import Opened, cluster_of
from cortex_sdk.kubernetes.plan import KubernetesPlan, SavedPlan
from cortex_sdk.kubernetes.planning import plan as plan_of
from cortex_sdk.kubernetes.splitter import SplitterPlan
from cortex_stacks.api import program
from cortex_stacks.args import SyncAPIArgs

if TYPE_CHECKING:
    from cortex_sdk.declaration.deployable import Deployable
    from cortex_sdk.kubernetes.engine import Outcome
    from cortex_sdk.kubernetes.target import Kubernetes


def preview(
    target: "Kubernetes", thing: "Deployable", *, refresh: bool, save: Path | None
) -> Preview:
    """What a deploy would change; see Kubernetes.preview."""
    plan = plan_of(target, thing, saved=None, refresh=refresh)
    if isinstance(plan, SplitterPlan):
        if save is not None:
            msg = f"{target.name} saves plans of APIs alone; leave out --save"
            raise UnsupportedError(msg)
        return splitter.preview(target, plan)
    with tempfile.TemporaryDirectory(prefix="cortex-") as folder:
        file = Path(folder, "plan.json")
        outcome = (
            Opened.of(target)
            .engine()
            .preview(
                plan.args.stack,
                program(cluster_of(target), plan.args),
                silent,
                refresh=refresh,
                save=file if save else None,
            )
        )
        if save is not None:
            _saved(plan, file).write(save)
    return shown(target.name, plan, outcome)


def shown(target: str, plan: KubernetesPlan, outcome: "Outcome") -> Preview:
    """A plan and what the engine says of it."""
    current = plan.current
    before = {}
    if current is not None:
        before = _rows(current.args) | {"downtime": "none"}
    return Preview(
        name=plan.name,
        target=target,
        endpoint=plan.endpoint,
        revision=plan.revision,
        effects=effects_of(before, _rows(plan.args) | {"downtime": "none"}),
        resources=outcome.changes,
    )


def _rows(args: SyncAPIArgs) -> dict[str, str]:
    scaling = args.scaling
    fewest, most = scaling.min_replicas, scaling.max_replicas
    hosts = f" on {', '.join(args.hostnames)}" if args.hostnames else ""
    return {
        "revision": args.revision,
        "replicas": f"{fewest}" if fewest == most else f"{fewest} to {most}",
        "endpoint": f"{args.endpoint}{hosts}",
        "callers": "everybody" if args.keys is None else "those with a key",
        "retries": "on another replica" if args.idempotent else "none",
        "timeout": f"{args.timeout:g} s",
    }


def _saved(plan: KubernetesPlan, file: Path) -> SavedPlan:
    return SavedPlan(
        stack=plan.args.stack,
        revision=plan.revision,
        deployed_at=plan.args.deployed_at,
        changes=json.loads(file.read_bytes()),
    )
