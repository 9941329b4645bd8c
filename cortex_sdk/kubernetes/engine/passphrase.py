"""The passphrase of the state: made once, kept in a file, never in an environment.

Pulumi reads the file itself, so the passphrase is neither in this process nor in
what `ps` shows of any other.
"""

import secrets

from cortex_sdk.errors import TargetError
from cortex_sdk.kubernetes.engine.folders import Folders
from cortex_sdk.local.home import write

_BYTES = 32


def ensure(folders: Folders) -> None:
    """Make the passphrase unless there is one.

    Raises:
        TargetError: There is state that only a passphrase opens which is gone, or
            the file cannot be written.
    """
    path = folders.passphrase
    if path.exists():
        return
    if folders.stacks():
        raise TargetError(_lost(folders))
    with folders.writing():
        write(path, secrets.token_urlsafe(_BYTES).encode())


def _lost(folders: Folders) -> str:
    return (
        f"{folders.passphrase} is gone, and with it the key to the state in"
        f" {folders.state}; put the file back from a backup, or, if there is none,"
        f" move {folders.state} away: what runs goes on running, and deploying again"
        " takes it over"
    )
