"""The files of a revision: objects that hold them, and where pods find them."""

import json
from base64 import b64encode
from collections.abc import Iterator

from cortex_stacks.api.metadata import Manifest, metadata
from cortex_stacks.api.settings import settings
from cortex_stacks.args import Blob, SyncAPIArgs
from cortex_stacks.labels import DEPLOYED_AT, RELEASE, SETTINGS, of_revision

MANIFEST, REQUIREMENTS = "manifest.json", "requirements.txt"
SECRETS, PICKLE, INDEX_URL = "secrets.json", "class.pickle", "index-url"
KEYS = "keys"

_DIGITS = 12


def release_name(args: SyncAPIArgs) -> str:
    """Of the Secret with the files of this revision."""
    return f"{args.name}-{args.revision}"


def keys_name(args: SyncAPIArgs) -> str:
    """Of the Secret with the API keys, which is no part of any revision."""
    return f"{args.name}-keys"


def bundle_name(args: SyncAPIArgs) -> str:
    """Of the ConfigMap with the user's files; revisions with the same ones share it."""
    return f"{args.name}-bundle-{args.bundle.digest[:_DIGITS]}"


def wheel_name(args: SyncAPIArgs, wheel: Blob) -> str:
    """Of the ConfigMap with the server."""
    return f"{args.name}-wheel-{wheel.digest[:_DIGITS]}"


def release(args: SyncAPIArgs) -> Manifest:
    """The Secret of a revision; all of them together are the history of the API."""
    annotations = {DEPLOYED_AT: args.deployed_at, SETTINGS: settings(args)}
    labels = of_revision(args.revision) | {RELEASE: args.name}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(args, release_name(args), labels, annotations),
        "type": "Opaque",
        "immutable": True,
        "data": {name: _encoded(content) for name, content in _contents(args)},
    }


def _contents(args: SyncAPIArgs) -> Iterator[tuple[str, bytes]]:
    yield MANIFEST, args.manifest.encode()
    if args.runtime.requirements:
        lines = (f"{line}\n" for line in args.runtime.requirements)
        yield REQUIREMENTS, "".join(lines).encode()
    if args.secrets:
        yield SECRETS, json.dumps(args.secrets, sort_keys=True).encode()
    if args.pickle is not None:
        yield PICKLE, args.pickle
    if args.runtime.index_url:
        yield INDEX_URL, args.runtime.index_url.encode()


def bundle(args: SyncAPIArgs) -> Manifest | None:
    """The ConfigMap with the user's files, None where pods fetch them from a URL."""
    return _config_map(args, bundle_name(args), args.bundle)


def wheel(args: SyncAPIArgs) -> Manifest | None:
    """The ConfigMap with the server, None where the image has it."""
    blob = args.runtime.wheel
    return _config_map(args, wheel_name(args, blob), blob) if blob else None


def keys(args: SyncAPIArgs) -> Manifest | None:
    """The Secret with the API keys; replicas read it again when it changes."""
    if args.keys is None:
        return None
    content = "".join(f"{key}\n" for key in args.keys).encode()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(args, keys_name(args)),
        "type": "Opaque",
        "data": {KEYS: _encoded(content)},
    }


def _config_map(args: SyncAPIArgs, name: str, blob: Blob) -> Manifest | None:
    if blob.data is None:
        return None
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(args, name),
        "immutable": True,
        "binaryData": {blob.name: _encoded(blob.data)},
    }


def _encoded(content: bytes) -> str:
    return b64encode(content).decode()
