"""Taking the platform down again."""

from cortex_sdk._target import Progress
from cortex_sdk.errors import TargetError, UnsupportedError
from cortex_sdk.kubernetes.platform import usage
from cortex_sdk.kubernetes.platform.found import Found, look
from cortex_sdk.kubernetes.platform.installing import Clock
from cortex_sdk.kubernetes.platform.site import Site

_PATIENCE = 120.0
_PAUSE = 1.0


def down(
    site: Site,
    progress: Progress,
    *,
    force: bool = False,
    clock: Clock | None = None,
) -> bool:
    """Take away what `up` put on the cluster; False when there was nothing.

    Args:
        site: The cluster.
        progress: Called with what is being done.
        force: Also when APIs use it; they stay without gateway and scaling.
        clock: Time to wait by.

    Raises:
        UnsupportedError: It is in use, or was made from another state.
        TargetError: The cluster cannot be reached.
        DeployError: Something could not be removed.
    """
    progress("looking at the cluster")
    found = look(site.access, site.gateway)
    if not site.engine.exists(site.stack):
        _refuse_without_state(found, site)
        return False
    if not force:
        _refuse_in_use(found, site)
    elif found.keda and found.keda.is_of(site.stack):
        _unscale(site, progress, clock or Clock())
    site.engine.destroy(site.stack, progress)
    return True


def _refuse_without_state(found: Found, site: Site) -> None:
    parts = (found.gateway_api, found.envoy_gateway, found.keda)
    if any(part and part.is_of(site.stack) for part in parts):
        msg = (
            "the platform of this cluster was made from a state that is not here: run"
            " this where it was made, or `cortex cluster up` first to take it over"
        )
        raise UnsupportedError(msg)


def _refuse_in_use(found: Found, site: Site) -> None:
    access = site.access
    users = [
        *(f"API {each}" for each in usage.apis(access)),
        *(f"traffic splitter {each}" for each in usage.splitters(access)),
        *usage.others(access, found, site.stack),
    ]
    if users:
        msg = (
            f"the platform is in use by {', '.join(users)}; delete them first, or give"
            " --force to take away their gateway and their scaling"
        )
        raise UnsupportedError(msg)


def _unscale(site: Site, progress: Progress, clock: Clock) -> None:
    """Let KEDA let go of what it scales, while it still can."""
    usage.unscale(site.access)
    end = clock.now() + _PATIENCE
    while left := usage.scaled(site.access):
        if clock.now() > end:
            names = ", ".join(f"{kind} {each}" for kind, each in left)
            msg = f"KEDA does not let go of {names}; see the log of keda-operator"
            raise TargetError(msg)
        progress("waiting for KEDA to let go of what it scales")
        clock.sleep(_PAUSE)
