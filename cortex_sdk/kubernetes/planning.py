"""What a deploy would do: read the project and the cluster, and touch neither."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cortex_sdk.declaration.sync_api import SyncAPI
from cortex_sdk.declaration.traffic_splitter import TrafficSplitter
from cortex_sdk.errors import TargetError, UnsupportedError
from cortex_sdk.kubernetes import (
    endpoints,
    ownership,
    refusals,
    releases,
    splitter,
    storage,
)
from cortex_sdk.kubernetes.arguments import Parts, arguments
from cortex_sdk.kubernetes.current import current_of
from cortex_sdk.kubernetes.opened import Opened
from cortex_sdk.kubernetes.packages.locked import locked
from cortex_sdk.kubernetes.packages.wheel import wheel
from cortex_sdk.kubernetes.plan import Current, KubernetesPlan, SavedPlan
from cortex_sdk.kubernetes.platform import checks, found
from cortex_sdk.kubernetes.splitter import SplitterPlan
from cortex_sdk.local.home import Home
from cortex_sdk.project.release import Release, release_of
from cortex_stacks.api.manifests import resources
from cortex_stacks.api.releases import as_stored
from cortex_stacks.args import SyncAPIArgs

if TYPE_CHECKING:
    from cortex_sdk.declaration.deployable import Deployable
    from cortex_sdk.kubernetes.target import Kubernetes


def plan(
    target: "Kubernetes", thing: "Deployable", *, saved: Path | None, refresh: bool
) -> KubernetesPlan | SplitterPlan:
    """What deploying a declaration would do; see Kubernetes.plan."""
    match thing:
        case SyncAPI():
            return plan_of_api(target, thing, saved=saved, refresh=refresh)
        case TrafficSplitter() if saved is None:
            return splitter.plan(target, thing, refresh=refresh)
        case TrafficSplitter():
            msg = f"{target.name} saves plans of APIs alone; leave out --plan"
            raise UnsupportedError(msg)
    msg = f"{target.name} has nothing that runs a {type(thing).__name__}"
    raise UnsupportedError(msg)


def plan_of_api(
    target: "Kubernetes", api: SyncAPI, *, saved: Path | None, refresh: bool
) -> KubernetesPlan:
    """What deploying an API would do."""
    refusals.check(api, target)
    written = SavedPlan.read(saved) if saved else None
    key = Home.of_user().key()
    release = release_of(api, key)
    parts = parts_of(api, target, release)
    opened = Opened.of(target)
    there = found.look(opened.access, opened.gateway)
    checks.require(there, opened.gateway)
    makes_namespace = _lacks_namespace(opened)
    args = arguments(api, target, release, parts, opened.stack(api.name))
    args = replace(args, features=checks.features(there))
    objects = [] if makes_namespace else _objects(opened, args)
    ownership.refuse_taken_path(opened, args)
    current = None if makes_namespace else current_of(opened, api.name)
    args = _dated(as_stored(args, objects), current, written)
    if written is not None:
        written.check(args.stack, args.revision)
    return KubernetesPlan(
        args=args,
        current=current,
        endpoint=endpoint_of(target, args, there.urls),
        makes_namespace=makes_namespace,
        upload=release.bundle if args.bundle.url else None,
        saved=written,
        refresh=refresh,
        key=key if release.secrets else b"",
    )


def parts_of(api: SyncAPI, target: "Kubernetes", release: Release) -> Parts:
    """What pods need besides objects; raises InvalidSpecError where it cannot go."""
    bundle = storage.blob_of(release.bundle, target.storage)
    urls = [*_model_urls(release), *([bundle.url] if bundle.url else [])]
    drivers = {package for url in urls if (package := storage.driver(url))}
    return Parts(bundle, wheel(), locked(api, release, sorted(drivers)))


def endpoint_of(
    target: "Kubernetes", args: SyncAPIArgs, gateway_urls: tuple[str, ...]
) -> str:
    """URL that answers predictions."""
    base = endpoints.public(target, gateway_urls)
    if base is None:
        return endpoints.inside(args.name, args.namespace)
    return f"{base}{args.endpoint}"


def _model_urls(release: Release) -> list[str]:
    models = release.manifest.models
    if models is None:
        return []
    places = [models.dir, *(each.path for each in models.paths)]
    return [place for place in places if place and "://" in place]


def _lacks_namespace(opened: Opened) -> bool:
    """Whether the namespace has to be made; raises TargetError if that is denied."""
    access, name = opened.access, opened.namespace
    if access.get("v1", "Namespace", name) is not None:
        return False
    if not access.may("create", "v1", "Namespace"):
        msg = (
            f"there is no namespace {name} on {opened.target.name}, and your user may"
            " not make one; ask an administrator of the cluster, or name another in"
            " Kubernetes(namespace=...)"
        )
        raise TargetError(msg)
    return True


def _objects(opened: Opened, args: SyncAPIArgs) -> list[dict[str, object]]:
    """What is there already of what will be; somebody else's is refused."""
    objects = ownership.existing(opened, resources(args).values())
    ownership.refuse_foreign(objects, args)
    return objects


def _dated(
    args: SyncAPIArgs, current: Current | None, written: SavedPlan | None
) -> SyncAPIArgs:
    """With the time of the deploy, which does not change while the revision serves."""
    if current is not None and current.args.revision == args.revision:
        return replace(args, deployed_at=current.deployed_at)
    if written is not None:
        return replace(args, deployed_at=written.deployed_at)
    return replace(args, deployed_at=releases.now())
