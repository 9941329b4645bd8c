"""An API as a cluster has it right now."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cortex_sdk.errors import NotFoundError
from cortex_sdk.kubernetes import releases
from cortex_sdk.kubernetes.plan import Current
from cortex_stacks.labels import REVISION, STACK, owner

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.opened import Opened

Json = dict[str, Any]


def deployment(opened: "Opened", name: str) -> Json | None:
    """The Deployment of an API, None where there is none that is ours."""
    found = opened.access.get("apps/v1", "Deployment", name, opened.namespace)
    if found is None or not is_of(found, opened.stack(name)):
        return None
    return found


def is_of(manifest: Json, stack: str) -> bool:
    """Whether a stack made an object."""
    labels = manifest["metadata"].get("labels") or {}
    return bool(labels.get(STACK) == owner(stack))


def wanted_revision(deployment: Json) -> str:
    """The revision that its pods should be of."""
    labels = deployment["spec"]["template"]["metadata"].get("labels") or {}
    return str(labels.get(REVISION, ""))


def current_of(opened: "Opened", name: str) -> Current | None:
    """What serves, None where nothing does or nobody knows what it was made of."""
    found = deployment(opened, name)
    if found is None:
        return None
    revision = wanted_revision(found)
    secret = f"{name}-{revision}"
    release = next(
        (each for each in releases.kept(opened, name) if each["name"] == secret), None
    )
    if release is None:
        return None
    args = releases.bare(release)
    args = replace(args, keys=releases.keys_of(opened, args))
    return Current(
        args=args,
        deployed_at=args.deployed_at,
        desired=found["spec"].get("replicas", 1),
        live=(found.get("status") or {}).get("readyReplicas", 0),
    )


def missing(name: str, target: str) -> NotFoundError:
    """What is raised for an API that is not there."""
    return NotFoundError(f"there is no API {name!r} on {target}; see `cortex get`")
