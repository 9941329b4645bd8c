"""The verbs that change what runs on a cluster without a new declaration."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cortex_sdk._target import Applied, Bounds, Progress, silent
from cortex_sdk._traffic import has_no, in_use
from cortex_sdk.errors import DeployError, TargetError, UnsupportedError
from cortex_sdk.kubernetes import releases, splitter, watching
from cortex_sdk.kubernetes.applying import apply
from cortex_sdk.kubernetes.current import current_of, deployment, missing
from cortex_sdk.kubernetes.opened import Opened
from cortex_sdk.kubernetes.plan import Current, KubernetesPlan
from cortex_sdk.kubernetes.rollout import Rollout
from cortex_stacks.args import SyncAPIArgs
from cortex_stacks.labels import selector

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.target import Kubernetes

_POLL = 1.0
_PATIENCE = 120.0
_LEFT = ("Secret", "ConfigMap", "Service", "Pod")
RESTARTED_AT = "cortex-sdk/restarted-at"

Json = dict[str, Any]


def rollback(
    target: "Kubernetes", name: str, to: str | None, progress: Progress
) -> Applied:
    """Make an earlier revision serve again; see Kubernetes.rollback."""
    opened = Opened.of(target)
    current = _current(opened, name)
    wanted = _earlier(opened, current, to)
    args = releases.load(opened, name, wanted, current.args.keys)
    args = replace(args, deployed_at=releases.now(), features=_features(opened))
    return apply(target, _plan(target, args, current), progress)


def scale(
    target: "Kubernetes", name: str, bounds: Bounds, progress: Progress
) -> Applied:
    """Move the bounds of the replica count; see Kubernetes.scale."""
    opened = Opened.of(target)
    current = _current(opened, name)
    was = current.args.scaling
    fewest = was.min_replicas if bounds.fewest is None else bounds.fewest
    most = was.max_replicas if bounds.most is None else bounds.most
    _check(fewest, most)
    args = releases.load(opened, name, current.args.revision, current.args.keys)
    scaling = replace(args.scaling, min_replicas=fewest, max_replicas=most)
    args = replace(args, scaling=scaling, features=_features(opened))
    return apply(target, _plan(target, args, current), progress)


def refresh(target: "Kubernetes", name: str, progress: Progress) -> Applied:
    """Start all replicas anew; see Kubernetes.refresh."""
    opened = Opened.of(target)
    current = _current(opened, name)
    stamp = {"metadata": {"annotations": {RESTARTED_AT: releases.now()}}}
    opened.access.merge(
        "apps/v1", "Deployment", name, opened.namespace, {"spec": {"template": stamp}}
    )
    rollout = Rollout(opened, name, current.args.revision, progress)
    while not watching.is_rolled_out(watching.deployment_of(opened, name)):
        if reason := rollout():
            raise DeployError(reason)
        time.sleep(_POLL)
    endpoint = watching.status(target, name).endpoint
    return Applied(name, endpoint, current.args.revision, changed=True)


def delete(target: "Kubernetes", name: str) -> None:
    """End the API and wait until nothing is left; see Kubernetes.delete."""
    opened = Opened.of(target)
    stack = opened.stack(name)
    engine = opened.engine()
    if splitter.read(opened, name) is not None:
        splitter.delete(target, name)
        return
    there = deployment(opened, name)
    if there is None and not engine.exists(stack):
        raise missing(name, target.name)
    _refuse_used(opened, name)
    engine.destroy(stack, silent)
    _wait_until_gone(opened, name)


def _current(opened: Opened, name: str) -> Current:
    current = current_of(opened, name)
    if current is not None:
        return current
    if (args := splitter.read(opened, name)) is not None:
        raise has_no("replicas", name, args.weights)
    raise missing(name, opened.target.name)


def _earlier(opened: Opened, current: Current, to: str | None) -> str:
    """The revision meant; raises DeployError where there is none such."""
    name, serving = current.args.name, current.args.revision
    kept = releases.kept(opened, name)
    past = [releases.revision(each) for each in kept]
    if to is None:
        past = [each.revision for each in releases.served(kept, serving)]
    found = [each for each in past if each != serving and each.startswith(to or "")]
    if found and (to is None or len(set(found)) == 1):
        return found[-1]
    if found:
        msg = f"several revisions of {name} start with {to!r}; give more digits"
    elif to and serving.startswith(to):
        msg = f"revision {serving} of {name} serves already"
    elif to:
        msg = f"{name} has no revision {to!r}; see `cortex history {name}`"
    else:
        msg = f"{name} has no revision before {serving}"
    raise DeployError(msg)


def _plan(target: "Kubernetes", args: SyncAPIArgs, current: Current) -> KubernetesPlan:
    endpoint = watching.status(target, args.name).endpoint
    return KubernetesPlan(args=args, current=current, endpoint=endpoint)


def _features(opened: Opened) -> frozenset[str]:
    from cortex_sdk.kubernetes.platform import (  # noqa: PLC0415  # few verbs ask
        checks,
        found,
    )

    return checks.features(found.look(opened.access, opened.gateway))


def _check(fewest: int, most: int) -> None:
    if fewest < 1:
        msg = "scale: nothing can hold a request while no replica runs; 1 is the fewest"
        raise UnsupportedError(msg)
    if most < fewest:
        msg = f"scale: the most ({most}) must be at least the fewest ({fewest})"
        raise UnsupportedError(msg)


def _refuse_used(opened: Opened, name: str) -> None:
    """Raise DeployError if a traffic splitter sends requests to the API."""
    if users := splitter.users_of(opened, name):
        raise in_use(name, users)


def _wait_until_gone(opened: Opened, name: str) -> None:
    """What Kubernetes collects by itself takes a moment; raises TargetError."""
    wanted = ",".join(f"{key}={value}" for key, value in selector(name, "api").items())
    deadline = time.monotonic() + _PATIENCE
    while True:
        left = [
            f"{kind} {each['name']}"
            for kind in _LEFT
            for each in opened.access.metadata("v1", kind, opened.namespace, wanted)
        ]
        if not left:
            return
        if time.monotonic() > deadline:
            msg = f"{name} is deleted, but still there is {', '.join(left)}"
            raise TargetError(msg)
        time.sleep(_POLL)
