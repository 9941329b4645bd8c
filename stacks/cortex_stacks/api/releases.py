"""Releases that a cluster has kept, back as arguments."""

import json
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import replace

from cortex_stacks.api.files import (
    INDEX_URL,
    MANIFEST,
    PICKLE,
    REQUIREMENTS,
    SECRETS,
    bundle_name,
    release_name,
    wheel_name,
)
from cortex_stacks.api.metadata import Manifest
from cortex_stacks.args import Blob, SyncAPIArgs
from cortex_stacks.labels import SETTINGS


def restored(release: Manifest, config_maps: Iterable[Manifest]) -> SyncAPIArgs:
    """The arguments that a release was deployed with last.

    Missing are `deployed_at`, `features`, and the values of `keys`: where the API had
    some, it is empty.

    Args:
        release: Secret of a revision, as the API server gives it.
        config_maps: At least those with its files.

    Raises:
        KeyError: The Secret is none of a release.
        LookupError: A file is missing; the message names its ConfigMap.
    """
    bare = SyncAPIArgs.from_json(release["metadata"]["annotations"][SETTINGS])
    files = {name: b64decode(data) for name, data in release["data"].items()}
    maps = {each["metadata"]["name"]: each for each in config_maps}
    wheel, index_url = bare.runtime.wheel, files.get(INDEX_URL)
    runtime = replace(
        bare.runtime,
        requirements=tuple(files.get(REQUIREMENTS, b"").decode().splitlines()),
        index_url=index_url.decode() if index_url else None,
        wheel=_filled(wheel, wheel_name(bare, wheel), maps) if wheel else None,
    )
    return replace(
        bare,
        manifest=files[MANIFEST].decode(),
        pickle=files.get(PICKLE),
        secrets=json.loads(files.get(SECRETS, b"{}")),
        bundle=_filled(bare.bundle, bundle_name(bare), maps),
        runtime=runtime,
    )


def as_stored(args: SyncAPIArgs, objects: Iterable[Manifest]) -> SyncAPIArgs:
    """The same arguments, with those bytes that the cluster has already.

    Names go by what files mean, and the same thing may have other bytes when it is
    made again: pickles differ from run to run, compressors between machines. But what
    a name stands for is immutable.

    Args:
        args: What is to be deployed.
        objects: Secrets and ConfigMaps of the API; others do no harm.
    """
    stored = {(each["kind"], each["metadata"]["name"]): each for each in objects}
    release = stored.get(("Secret", release_name(args)), {}).get("data", {})
    files = {name: b64decode(data) for name, data in release.items()}
    manifest, pickle = files.get(MANIFEST), files.get(PICKLE, args.pickle)
    bundle = stored.get(("ConfigMap", bundle_name(args)))
    return replace(
        args,
        manifest=manifest.decode() if manifest else args.manifest,
        pickle=pickle,
        bundle=_with_bytes(args.bundle, bundle) if bundle else args.bundle,
    )


def _filled(blob: Blob, name: str, maps: dict[str, Manifest]) -> Blob:
    if blob.url is not None:
        return blob
    if name not in maps:
        msg = f"the ConfigMap {name} is gone"
        raise LookupError(msg)
    return _with_bytes(blob, maps[name])


def _with_bytes(blob: Blob, config_map: Manifest) -> Blob:
    """The bytes, under whatever name they are there."""
    ((name, data),) = config_map["binaryData"].items()
    return replace(blob, name=name, data=b64decode(data), url=None)
