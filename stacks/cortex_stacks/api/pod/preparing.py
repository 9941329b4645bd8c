"""The init containers: what a pod does before it serves, one command each."""

from cortex_stacks.api.files import (
    INDEX_URL,
    MANIFEST,
    REQUIREMENTS,
    SECRETS,
    release_name,
)
from cortex_stacks.api.metadata import Manifest
from cortex_stacks.api.pod.container import CONFINED, pull_policy
from cortex_stacks.api.pod.volumes import (
    PATHS,
    SITE,
    bundle_path,
    fetches,
    installs,
    mounts_to_prepare,
)
from cortex_stacks.api.quantity import milli, size
from cortex_stacks.args import Compute, SyncAPIArgs

_ENOUGH = 1 << 30
"""Bytes with which pip installs the largest wheels, also for a small replica."""


def init_containers(args: SyncAPIArgs) -> list[Manifest]:
    """Install packages, fetch files: what the image and the cluster do not have."""
    containers = []
    if installs(args):
        containers.append(_container(args, "install", _install(args), _index(args)))
    if fetches(args):
        containers.append(_container(args, "fetch", _fetch(args), _installed(args)))
    return containers


def _container(
    args: SyncAPIArgs, name: str, command: list[str], env: list[Manifest]
) -> Manifest:
    home = {"name": "HOME", "value": PATHS["tmp"]}
    return {
        "name": name,
        "image": args.runtime.image,
        **pull_policy(args),
        "command": command,
        "env": [home, *env],
        "resources": _resources(args.compute),
        # The reason of a failure is the last that a command says.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": CONFINED,
        "volumeMounts": mounts_to_prepare(args),
    }


def _install(args: SyncAPIArgs) -> list[str]:
    runtime = args.runtime
    command = ["python", "-P", "-m", "pip", "install", "--target", SITE, "--upgrade"]
    command += ["--no-compile", "--no-input", "--disable-pip-version-check"]
    command += ["--no-warn-script-location", "--progress-bar=off"]
    # What is wanted is all there is to install: nothing is left to resolve.
    command += ["--no-deps"] if runtime.is_locked else []
    cache = f"--cache-dir={PATHS['cache']}" if runtime.cache_claim else "--no-cache-dir"
    command += [cache, *runtime.pip_options]
    if runtime.wheel:
        command.append(f"{PATHS['wheel']}/{runtime.wheel.name}")
    if runtime.requirements:
        command += ["-r", f"{PATHS['release']}/{REQUIREMENTS}"]
    return command


def _index(args: SyncAPIArgs) -> list[Manifest]:
    """The index goes by way of the Secret: its URL may hold a password."""
    if not args.runtime.index_url:
        return []
    key = {"name": release_name(args), "key": INDEX_URL}
    return [{"name": "PIP_INDEX_URL", "valueFrom": {"secretKeyRef": key}}]


def _fetch(args: SyncAPIArgs) -> list[str]:
    release, bundle = PATHS["release"], args.bundle
    command = ["python", "-P", "-m", "cortex_server.fetch", f"{bundle.url}"]
    command += [bundle.digest, bundle_path(args), f"--manifest={release}/{MANIFEST}"]
    return command + ([f"--secrets={release}/{SECRETS}"] if args.secrets else [])


def _installed(args: SyncAPIArgs) -> list[Manifest]:
    return [{"name": "PYTHONPATH", "value": SITE}] if installs(args) else []


def _resources(compute: Compute) -> Manifest:
    """No more than the replica asks for, so that pods need no larger node."""
    requests, limits = {"cpu": milli(compute.cpu)}, dict[str, str]()
    if compute.mem is not None:
        requests["memory"] = size(compute.mem)
        limits["memory"] = size(max(compute.mem, _ENOUGH))
    return {"requests": requests} | ({"limits": limits} if limits else {})
