"""Which folders containers see, what is in them, and who may write there."""

from cortex_stacks.api.files import bundle_name, keys_name, release_name, wheel_name
from cortex_stacks.api.metadata import Manifest
from cortex_stacks.args import SyncAPIArgs

PATHS = {
    "release": "/etc/cortex/release",
    "bundle": "/etc/cortex/bundle",
    "wheel": "/etc/cortex/wheel",
    "keys": "/etc/cortex/keys",
    "downloads": "/opt/cortex",
    "cache": "/var/cache/cortex",
    "work": "/srv/cortex",
    "tmp": "/tmp",  # noqa: S108  # an emptyDir of the pod's own
}
SITE = f"{PATHS['downloads']}/site"
"""Packages that a pod has installed."""
_PREPARE = ("release", "wheel", "downloads", "cache", "tmp")
_SERVE = ("release", "bundle", "keys", "downloads", "work", "tmp")
_OWNER_AND_GROUP = 0o440


def installs(args: SyncAPIArgs) -> bool:
    """Whether pods install packages before they serve."""
    runtime = args.runtime
    return not runtime.is_prebuilt and bool(runtime.wheel or runtime.requirements)


def fetches(args: SyncAPIArgs) -> bool:
    """Whether pods fetch the user's files from a URL."""
    return args.bundle.url is not None


def bundle_path(args: SyncAPIArgs) -> str:
    """Where the replica finds the user's files."""
    folder = PATHS["downloads" if fetches(args) else "bundle"]
    return f"{folder}/{args.bundle.name}"


def volumes(args: SyncAPIArgs) -> list[Manifest]:
    """The volumes of a pod."""
    return [{"name": name, **source} for name, source in _sources(args).items()]


def mounts_to_prepare(args: SyncAPIArgs) -> list[Manifest]:
    """What init containers see: they alone write to the downloads."""
    there = _sources(args)
    return [_mount(name) for name in _PREPARE if name in there]


def mounts_to_serve(args: SyncAPIArgs) -> list[Manifest]:
    """What the replica sees."""
    there = _sources(args)
    frozen = {"readOnly": True}
    return [
        _mount(name) | (frozen if name == "downloads" else {})
        for name in _SERVE
        if name in there
    ]


def _sources(args: SyncAPIArgs) -> dict[str, Manifest]:
    runtime = args.runtime
    sources: dict[str, Manifest] = {"release": _secret(release_name(args))}
    if not fetches(args):
        sources["bundle"] = {"configMap": {"name": bundle_name(args)}}
    if runtime.wheel and installs(args):
        name = wheel_name(args, runtime.wheel)
        sources["wheel"] = {"configMap": {"name": name}}
    if args.keys is not None:
        sources["keys"] = _secret(keys_name(args))
    if installs(args) or fetches(args):
        sources["downloads"] = {"emptyDir": {}}
    if runtime.cache_claim and installs(args):
        claim = {"claimName": runtime.cache_claim}
        sources["cache"] = {"persistentVolumeClaim": claim}
    return sources | {"work": {"emptyDir": {}}, "tmp": {"emptyDir": {}}}


def _secret(name: str) -> Manifest:
    return {"secret": {"secretName": name, "defaultMode": _OWNER_AND_GROUP}}


def _mount(name: str) -> Manifest:
    return {"name": name, "mountPath": PATHS[name]}
