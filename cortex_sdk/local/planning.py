"""What a deploy is about to do on this machine, as data."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cortex_sdk.declaration.sync_api import SyncAPI
from cortex_sdk.declaration.traffic_splitter import TrafficSplitter
from cortex_sdk.errors import UnsupportedError
from cortex_sdk.local import refusals
from cortex_sdk.local.gateway.split import Split
from cortex_sdk.local.home import Home
from cortex_sdk.project.release import Release, release_of

if TYPE_CHECKING:
    from cortex_sdk.declaration.deployable import Deployable


@dataclass(frozen=True, slots=True)
class LocalPlan:
    """What a deploy is about to do on this machine."""

    release: Release
    endpoint: str
    idempotent: bool
    key: bytes = field(repr=False)
    """What the hash of the secrets was made with."""

    @property
    def name(self) -> str:
        """Name of the API."""
        return self.release.manifest.name

    @property
    def revision(self) -> str:
        """Content hash of what will serve."""
        return self.release.manifest.revision


def plan_of(thing: "Deployable", home: Home) -> LocalPlan | Split:
    """What deploying a declaration would do; touches nothing.

    Raises:
        UnsupportedError: A setting cannot be honoured here.
        InvalidSpecError: The project cannot be deployed.
    """
    match thing:
        case TrafficSplitter():
            return Split.of(thing)
        case SyncAPI():
            return _plan_of_api(thing, home)
    msg = f"local has nothing that runs a {type(thing).__name__}"
    raise UnsupportedError(msg)


def _plan_of_api(api: SyncAPI, home: Home) -> LocalPlan:
    refusals.check(api)
    key = home.key()
    return LocalPlan(release_of(api, key), api.endpoint, api.idempotent, key)
