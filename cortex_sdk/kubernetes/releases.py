"""The revisions of an API that its cluster keeps: what history and rollback go by."""

from base64 import b64decode
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cortex_sdk._target import Served
from cortex_sdk.errors import DeployError
from cortex_stacks.api.files import KEYS, bundle_name, keys_name, wheel_name
from cortex_stacks.api.releases import restored
from cortex_stacks.args import SyncAPIArgs
from cortex_stacks.labels import DEPLOYED_AT, RELEASE, REVISION, SETTINGS, selector

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.opened import Opened

HISTORY = 10
"""Releases that can be rolled back to."""

Json = dict[str, Any]


def now() -> str:
    """This moment as it is written on a release."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def kept(opened: "Opened", name: str) -> list[Json]:
    """Metadata of the releases of an API, in the order in which they began to serve."""
    found = opened.access.metadata(
        "v1", "Secret", opened.namespace, f"{RELEASE}={name}"
    )
    return sorted(found, key=deployed_at)


def deployed_at(metadata: Json) -> str:
    """When a release began to serve last, "" when nobody wrote that down."""
    return str((metadata.get("annotations") or {}).get(DEPLOYED_AT, ""))


def revision(metadata: Json) -> str:
    """The revision that a release is of."""
    return str(metadata["labels"][REVISION])


def served(releases: Iterable[Json], current: str) -> list[Served]:
    """What served, oldest first, and last what does now.

    A release that was written and never came up is not in it: it began later than the
    current one, which is applied again when a deploy fails.
    """
    past = [each for each in releases if deployed_at(each)]
    last = [each for each in past if revision(each) == current]
    until = deployed_at(last[0]) if last else ""
    before = [each for each in past if deployed_at(each) < until]
    return [
        Served(revision(each), datetime.fromisoformat(deployed_at(each)))
        for each in (*before, *last)
    ]


def bare(metadata: Json) -> SyncAPIArgs:
    """What a release was deployed with last, without its files; raises KeyError."""
    args = SyncAPIArgs.from_json(metadata["annotations"][SETTINGS])
    return replace(args, deployed_at=deployed_at(metadata))


def load(
    opened: "Opened", name: str, wanted: str, keys: tuple[str, ...] | None
) -> SyncAPIArgs:
    """All that is needed to make a revision serve again.

    Args:
        opened: The target.
        name: Name of the API.
        wanted: The revision.
        keys: Who may call, which is no part of a revision.

    Raises:
        DeployError: Part of it is gone.
    """
    access, namespace = opened.access, opened.namespace
    secret = access.get("v1", "Secret", f"{name}-{wanted}", namespace)
    if secret is None:
        msg = f"revision {wanted} of {name} is gone; see `cortex history {name}`"
        raise DeployError(msg)
    try:
        names = _files(bare(secret["metadata"]))
        found = [access.get("v1", "ConfigMap", each, namespace) for each in names]
        args = restored(secret, [each for each in found if each is not None])
    except (LookupError, ValueError) as error:
        msg = f"revision {wanted} of {name} cannot serve again: {error.args[0]}"
        raise DeployError(msg) from error
    return replace(args, keys=keys, deployed_at=deployed_at(secret["metadata"]))


def keys_of(opened: "Opened", args: SyncAPIArgs) -> tuple[str, ...] | None:
    """The API keys that replicas go by now, None where everybody may call."""
    if args.keys is None:
        return None
    found = opened.access.get("v1", "Secret", keys_name(args), opened.namespace)
    content = ((found or {}).get("data") or {}).get(KEYS, "")
    return tuple(b64decode(content).decode().split())


def prune(opened: "Opened", name: str, current: str) -> None:
    """Delete all releases but the newest, and files that none of the others has."""
    access, namespace = opened.access, opened.namespace
    releases = kept(opened, name)
    late = releases[-HISTORY:]
    stay = [each for each in releases if each in late or revision(each) == current]
    for each in releases:
        if each not in stay:
            access.delete("v1", "Secret", each["name"], namespace)
    used = {file for each in stay for file in _files(bare(each))}
    for each in access.metadata("v1", "ConfigMap", namespace, _selector(name)):
        if each["name"] not in used:
            access.delete("v1", "ConfigMap", each["name"], namespace)


def _files(args: SyncAPIArgs) -> list[str]:
    wheel = args.runtime.wheel
    return [bundle_name(args), *([wheel_name(args, wheel)] if wheel else [])]


def _selector(name: str) -> str:
    return ",".join(f"{key}={value}" for key, value in selector(name, "api").items())
