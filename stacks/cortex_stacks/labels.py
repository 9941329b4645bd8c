"""The labels by which objects in a cluster are known to be ours, and whose."""

import hashlib
from typing import Literal

Component = Literal["api", "splitter", "platform"]

_PREFIX = "cortex-sdk/"
STACK = f"{_PREFIX}stack"
"""Label: the Pulumi stack that owns an object, as `owner` writes it."""
REVISION = f"{_PREFIX}revision"
"""Label: the revision that pods, a Deployment or a release are of."""
RELEASE = f"{_PREFIX}release"
"""Label of the Secrets of revisions: the name of the API."""
DEPLOYED_AT = f"{_PREFIX}deployed-at"
"""Annotation of a release: when it was deployed last, RFC 3339."""
SETTINGS = f"{_PREFIX}settings"
"""Annotation of a release: what it was deployed with last, see `releases`."""

NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"
VERSION = "app.kubernetes.io/version"
PART_OF = "app.kubernetes.io/part-of"
MANAGED_BY = "app.kubernetes.io/managed-by"

_LONGEST, _HASH = 63, 12


def owner(stack: str) -> str:
    """The name of a stack as a label; one too long for that ends in its hash."""
    if len(stack) <= _LONGEST:
        return stack
    digest = hashlib.sha256(stack.encode()).hexdigest()[:_HASH]
    return f"{stack[: _LONGEST - _HASH - 1]}_{digest}"


def selector(name: str, component: Component) -> dict[str, str]:
    """What picks the pods of one API; never changes while that exists."""
    return {NAME: name, COMPONENT: component}


def labels(name: str, component: Component, stack: str) -> dict[str, str]:
    """What every object has."""
    return {
        **selector(name, component),
        PART_OF: "cortex",
        MANAGED_BY: "cortex-sdk",
        STACK: owner(stack),
    }


def of_revision(revision: str) -> dict[str, str]:
    """What objects of one revision have besides."""
    return {VERSION: revision, REVISION: revision}
