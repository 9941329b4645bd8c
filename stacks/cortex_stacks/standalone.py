"""The args of an API as files of a Pulumi project of its own, and back.

What is secret is in no file: names stay, values come from the stack's configuration,
where Pulumi encrypts them.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec

from cortex_stacks.args import Blob, SyncAPIArgs

ARGS, PICKLE = "api.json", "class.pickle"
_SET = "pulumi config set --secret"


class SettingError(Exception):
    """A secret is not set; the message has the command that sets it."""


class Settings(Protocol):
    """The configuration of a stack: pulumi.Config."""

    def get(self, key: str) -> str | None:
        """A value, None where it is not set."""

    def get_object(self, key: str) -> Any:  # noqa: ANN401  # pulumi's own
        """A structured value."""


def files(args: SyncAPIArgs) -> dict[str, bytes]:
    """The files that `read` takes, by name."""
    text = msgspec.json.format(_without_secrets(args).to_json(), indent=2)
    result = {ARGS: text.encode()}
    for blob in filter(None, (args.bundle, args.runtime.wheel)):
        if blob.data is not None:
            result[blob.name] = blob.data
    if args.pickle is not None:
        result[PICKLE] = args.pickle
    return result


def commands(args: SyncAPIArgs) -> tuple[str, ...]:
    """What has to be run once, so that the stack knows its secrets."""
    return tuple(_commands(args))


def read(folder: Path, settings: Settings) -> SyncAPIArgs:
    """The args that were written to a folder, with the secrets of a stack.

    Args:
        folder: Of the project.
        settings: `pulumi.Config()`.

    Raises:
        SettingError: A secret is not set.
        OSError: A file is missing.
    """
    args = SyncAPIArgs.from_json((folder / ARGS).read_bytes())
    runtime, pickle = args.runtime, folder / PICKLE
    return replace(
        args,
        bundle=_filled(args.bundle, folder),
        pickle=pickle.read_bytes() if pickle.exists() else None,
        secrets=_secrets(args, settings),
        keys=_keys(args, settings),
        runtime=replace(
            runtime,
            wheel=_filled(runtime.wheel, folder) if runtime.wheel else None,
            index_url=_index_url(runtime.index_url, settings),
        ),
    )


def _without_secrets(args: SyncAPIArgs) -> SyncAPIArgs:
    """Names of what is secret stay, and all bytes go: they are files of their own."""
    runtime = args.runtime
    hidden = has_password(runtime.index_url)
    return replace(
        args,
        bundle=_emptied(args.bundle),
        pickle=None,
        secrets=dict.fromkeys(args.secrets, ""),
        keys=None if args.keys is None else (),
        runtime=replace(
            runtime,
            wheel=_emptied(runtime.wheel) if runtime.wheel else None,
            index_url="" if hidden else runtime.index_url,
        ),
    )


def has_password(url: str | None) -> bool:
    """Whether a URL is one that nobody else should see."""
    return bool(url) and urlsplit(url).username is not None


def _emptied(blob: Blob) -> Blob:
    return replace(blob, data=None)


def _filled(blob: Blob, folder: Path) -> Blob:
    if blob.url is not None:
        return blob
    return replace(blob, data=(folder / blob.name).read_bytes())


def _commands(args: SyncAPIArgs) -> Iterator[str]:
    for name in args.secrets:
        yield f"{_SET} --path 'secrets[\"{name}\"]'"
    if args.keys is not None:
        yield f"{_SET} keys < .api-keys"
    if has_password(args.runtime.index_url) or args.runtime.index_url == "":
        yield f"{_SET} index_url"


def _secrets(args: SyncAPIArgs, settings: Settings) -> dict[str, str]:
    given = settings.get_object("secrets") or {}
    for name in args.secrets:
        if name not in given:
            msg = f"the secret {name} is not set: {_SET} --path 'secrets[\"{name}\"]'"
            raise SettingError(msg)
    return {name: str(given[name]) for name in args.secrets}


def _keys(args: SyncAPIArgs, settings: Settings) -> tuple[str, ...] | None:
    if args.keys is None:
        return None
    lines = (settings.get("keys") or "").splitlines()
    keys = tuple(key for line in lines if (key := line.strip()) and key[0] != "#")
    if not keys:
        msg = f"the API keys are not set, one a line: {_SET} keys < .api-keys"
        raise SettingError(msg)
    return keys


def _index_url(url: str | None, settings: Settings) -> str | None:
    if url != "":
        return url
    if not (given := settings.get("index_url")):
        msg = f"the package index is not set: {_SET} index_url"
        raise SettingError(msg)
    return given
