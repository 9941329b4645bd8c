"""From a declaration and a target to the arguments of the program that deploys it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cortex_sdk.kubernetes.opened import gateway_of
from cortex_sdk.kubernetes.packages.locked import Locked
from cortex_stacks.api.revision import revision_of
from cortex_stacks.args import (
    Blob,
    Compute,
    Drain,
    Placement,
    Runtime,
    Scaling,
    SyncAPIArgs,
)

if TYPE_CHECKING:
    from cortex_sdk.declaration.sync_api import SyncAPI
    from cortex_sdk.kubernetes.target import Kubernetes
    from cortex_sdk.project.release import Release

WITHDRAW = 10.0
"""Seconds that a replica serves on after it said that it is not ready any more, until
the proxies of every gateway know."""
_BASE_IMAGE = "python:{python}-slim"
_SAME_SETTINGS = (
    "min_replicas",
    "max_replicas",
    "window",
    "upscale_stabilization_period",
    "downscale_stabilization_period",
    "max_upscale_factor",
    "max_downscale_factor",
    "upscale_tolerance",
    "downscale_tolerance",
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a deploy has to put into a cluster besides objects."""

    bundle: Blob
    wheel: Blob
    locked: Locked


def arguments(
    api: "SyncAPI",
    target: "Kubernetes",
    release: "Release",
    parts: Parts,
    stack: str,
) -> SyncAPIArgs:
    """What the program is given; `deployed_at` and `features` are left to the caller.

    The same declaration, project and target give the same arguments.
    """
    manifest, compute = release.manifest, api.compute
    drain = manifest.drain(WITHDRAW)
    args = SyncAPIArgs(
        name=api.name,
        namespace=target.namespace,
        stack=stack,
        endpoint=api.endpoint,
        revision="",
        python=manifest.python,
        manifest=manifest.json().decode(),
        bundle=parts.bundle,
        pickle=release.pickle(),
        secrets=release.secrets,
        keys=release.keys,
        timeout=api.timeout,
        idempotent=api.idempotent,
        compute=Compute(
            cpu=compute.cpu, mem=compute.mem, gpu=compute.gpu, inf=compute.inf
        ),
        scaling=_scaling(api, target),
        drain=Drain(withdraw=WITHDRAW, grace=round(drain.total)),
        max_surge=str(api.update_strategy.max_surge),
        max_unavailable=str(api.update_strategy.max_unavailable),
        runtime=_runtime(target, manifest.python, parts),
        placement=Placement(
            node_selector=target.node_selector,
            tolerations=target.tolerations,
            topology_spread=target.topology_spread,
        ),
        gateway=gateway_of(target),
        hostnames=target.hostnames,
        deployed_at="",
    )
    return replace(args, revision=revision_of(args))


def _scaling(api: "SyncAPI", target: "Kubernetes") -> Scaling:
    wanted = api.autoscaling
    batch = api.batching.max_batch_size if api.batching else 1
    at_once = api.processes_per_replica * api.threads_per_process * batch
    return Scaling(
        target=wanted.target_replica_concurrency or at_once,
        prometheus=target.prometheus,
        **{name: getattr(wanted, name) for name in _SAME_SETTINGS},
    )


def _runtime(target: "Kubernetes", python: str, parts: Parts) -> Runtime:
    if target.image is not None:
        return Runtime(
            image=target.image,
            is_prebuilt=True,
            pull_policy=target.pull_policy,
            pull_secrets=target.pull_secrets,
        )
    return Runtime(
        image=target.base_image or _BASE_IMAGE.format(python=python),
        wheel=parts.wheel,
        requirements=parts.locked.lines,
        is_locked=parts.locked.is_complete,
        index_url=target.index_url,
        pip_options=target.pip_options,
        cache_claim=target.cache_claim,
        pull_policy=target.pull_policy,
        pull_secrets=target.pull_secrets,
    )
