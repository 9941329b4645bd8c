"""Bringing the platform up: what is missing, and nothing of somebody else's."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from cortex_sdk._target import Progress
from cortex_sdk.errors import DeployError, InvalidSpecError
from cortex_sdk.kubernetes.platform import rights
from cortex_sdk.kubernetes.platform.choosing import Choice, choose
from cortex_sdk.kubernetes.platform.found import Found, look
from cortex_sdk.kubernetes.platform.overview import Info, informed
from cortex_sdk.kubernetes.platform.reading import Reader
from cortex_sdk.kubernetes.platform.releases import (
    ENVOY_GATEWAY,
    GATEWAY_API,
    KEDA,
    Release,
)
from cortex_sdk.kubernetes.platform.settings import Platform
from cortex_sdk.kubernetes.platform.site import Site
from cortex_stacks.platform import program
from cortex_stacks.platform.args import GatewayArgs, PlatformArgs
from cortex_stacks.platform.manifests import resources

_PATIENCE = 300.0
_ADDRESS_PATIENCE = 90.0
_PAUSE = 2.0
_NO_ADDRESS = "No addresses have been assigned to the Gateway"


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, as far as waiting needs it."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def up(site: Site, progress: Progress, clock: Clock | None = None) -> Info:
    """Make the cluster ready for APIs; only an address may still be on its way.

    Raises:
        UnsupportedError: What is there is too old, or in the way; nothing was changed.
        TargetError: The cluster cannot be reached, or the user may not do that.
        DeployError: The change was tried and failed.
    """
    progress("looking at the cluster")
    choice = choose(look(site.access, site.gateway), site.gateway, site.stack)
    for note in choice.notes:
        progress(note)
    args = arguments(choice, site, Reader(site.downloads, progress))
    manifests = _manifests(args)
    rights.refuse_taken(site.access, manifests, site.stack)
    rights.refuse_unallowed(site.access, manifests)
    outcome = site.engine.up(site.stack, program(site.cluster, args), progress)
    found = _settled(site, progress, clock or Clock())
    return informed(site, found, changed=outcome.changed)


def arguments(choice: Choice, site: Site, reader: Reader) -> PlatformArgs:
    """What the program is given: the manifests of the parts that are ours."""
    settings = site.settings
    parts: list[tuple[bool, Release, str | None]] = [
        (choice.gateway_api, GATEWAY_API, settings.gateway_api),
        (choice.envoy_gateway, ENVOY_GATEWAY, settings.envoy_gateway),
        (choice.keda, KEDA, settings.keda),
    ]
    texts = {
        release.field: reader.read(release, source)
        for is_ours, release, source in parts
        if is_ours
    }
    gateway = _gateway(settings) if choice.gateway else None
    return PlatformArgs(stack=site.stack, gateway=gateway, **texts)


def _gateway(settings: Platform) -> GatewayArgs:
    return GatewayArgs(
        service=settings.service,
        annotations=settings.annotations,
        replicas=settings.replicas,
        image=settings.image,
        tls_secret=settings.tls_secret,
    )


def _manifests(args: PlatformArgs) -> list[dict[str, object]]:
    try:
        return list(resources(args).values())
    except ValueError as error:
        msg = f"a manifest of the platform {error}; name the file of a release"
        raise InvalidSpecError(msg) from error


def _settled(site: Site, progress: Progress, clock: Clock) -> Found:
    """The cluster once its gateway serves, or has waited for an address for long."""
    start = clock.now()
    while True:
        found = look(site.access, site.gateway)
        gateway = found.gateway
        if gateway is None or gateway.is_programmed:
            return found
        waited = clock.now() - start
        if gateway.reason == _NO_ADDRESS and waited > _ADDRESS_PATIENCE:
            progress(_without_address(site.settings))
            return found
        if waited > _PATIENCE:
            msg = (
                f"the gateway does not come up: {gateway.reason}; see why with"
                " `kubectl -n envoy-gateway-system get pods,events`, and run this again"
            )
            raise DeployError(msg)
        progress(f"waiting for the gateway: {gateway.reason}")
        clock.sleep(_PAUSE)


def _without_address(settings: Platform) -> str:
    if settings.service != "LoadBalancer":
        return "the gateway has no address"
    return (
        "no load balancer gives the gateway an address; where the cluster has none,"
        ' say service = "NodePort" or "ClusterIP" in the platform of the target'
    )
