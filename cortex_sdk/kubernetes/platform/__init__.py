"""What a cluster needs before the first API: installing, checking and removing it.

Each takes a Kubernetes target; what is heavy is imported when it is used.
"""

from typing import TYPE_CHECKING, Protocol

from cortex_sdk._target import Progress

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.platform.overview import Info
    from cortex_sdk.kubernetes.platform.site import Site


class HasSite(Protocol):
    """A target on a cluster."""

    def site(self) -> "Site":
        """What its platform is worked on with."""


def up(target: HasSite, progress: Progress) -> "Info":
    """Make the cluster ready for APIs, see `installing.up`."""
    from cortex_sdk.kubernetes.platform import installing  # noqa: PLC0415  # heavy

    return installing.up(target.site(), progress)


def info(target: HasSite) -> "Info":
    """What the cluster has, and what runs on it."""
    from cortex_sdk.kubernetes.platform import overview  # noqa: PLC0415  # heavy

    return overview.info(target.site())


def down(target: HasSite, progress: Progress, *, force: bool = False) -> bool:
    """Take away what `up` put on the cluster, see `removing.down`."""
    from cortex_sdk.kubernetes.platform import removing  # noqa: PLC0415  # heavy

    return removing.down(target.site(), progress, force=force)


def features(target: HasSite) -> frozenset[str]:
    """What may be used of the cluster beside the standard, see `checks.features`.

    Raises:
        UnsupportedError: It cannot serve APIs; all that is missing is named.
    """
    from cortex_sdk.kubernetes.platform import checks, found  # noqa: PLC0415  # heavy

    site = target.site()
    seen = found.look(site.access, site.gateway)
    checks.require(seen, site.gateway)
    return checks.features(seen)
