"""`python -m cortex_sdk.cli.serving.prepare APP FOLDER KEYFILE`.

Loads a user's file in a process of its own: it is loaded anew after each change, and
the process that waits in the foreground does not keep what the file imports.
"""

import sys
from pathlib import Path

from cortex_sdk import _serve
from cortex_sdk.cli import console, guarded
from cortex_sdk.cli.deploy import declared
from cortex_sdk.declaration.deployable import Deployable
from cortex_sdk.declaration.sync_api import SyncAPI
from cortex_sdk.errors import InvalidSpecError


def main(app: str, folder: str, key: str) -> int:
    """Write the parts of a replica to a folder; says what is wrong with the file."""

    def prepare() -> None:
        api = _only(declared(app), app)
        manifest = _serve.prepare(api, Path(folder), Path(key).read_bytes())
        _warn(_serve.unmet(manifest.requirements))

    return guarded(prepare)


def _warn(unmet: list[str]) -> None:
    if unmet:
        lines = " ".join(f"'{line}'" for line in unmet)
        msg = f"`serve` installs nothing, and this interpreter lacks {lines}"
        console.say(f"{msg}; run `pip install {lines}`", style="yellow")


def _only(things: list[Deployable], app: str) -> SyncAPI:
    apis = [thing for thing in things if isinstance(thing, SyncAPI)]
    if not apis:
        msg = f"`{app}` declares no SyncAPI, and nothing else can be served alone"
        raise InvalidSpecError(msg)
    first, *others = apis
    if others:
        choices = " or ".join(f"`{app}:{api.name}`" for api in apis)
        msg = f"`{app}` declares {len(apis)} APIs, and one can be served: {choices}"
        raise InvalidSpecError(msg)
    return first


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
