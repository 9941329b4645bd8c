"""What can be said from disk, while all is stopped."""

from pydantic import ValidationError

from cortex_sdk._target import Status
from cortex_sdk.errors import TargetError
from cortex_sdk.local.agent.state import ApiState, missing
from cortex_sdk.local.agent.status import View, status_of, status_of_split
from cortex_sdk.local.gateway.port import url
from cortex_sdk.local.gateway.split import Split
from cortex_sdk.local.gateway.state import GatewayState
from cortex_sdk.local.home import ApiFolder, Home


def statuses(home: Home) -> list[Status]:
    """All APIs and splitters, by name."""
    return [status(home, name) for name in names(home)]


def names(home: Home) -> list[str]:
    """Names of all APIs and splitters, in order."""
    apis = [path.parent.name for path in home.apis.glob("*/api.json")]
    return sorted([*apis, *(path.stem for path in home.splitters.glob("*.json"))])


def split(home: Home, name: str) -> Split | None:
    """A traffic splitter, None where there is none of that name."""
    try:
        return Split.read(home.splitter(name))
    except (OSError, ValidationError):
        return None


def status(home: Home, name: str) -> Status:
    """One API or splitter; raises NotFoundError."""
    port = GatewayState.read(home).port
    found = split(home, name)
    if found is not None:
        return status_of_split(found, {}, url(port, found.endpoint), is_stopped=True)
    known = state(home, name)
    return status_of(known, View(is_stopped=True), url(port, known.reach.endpoint))


def state(home: Home, name: str) -> ApiState:
    """What is written down of an API; raises NotFoundError."""
    path = folder(home, name).state
    try:
        return ApiState.read(path)
    except (OSError, ValidationError) as error:
        msg = f"cannot read {path}, it was written by another version or is damaged"
        raise TargetError(msg) from error


def folder(home: Home, name: str) -> ApiFolder:
    """The folder of an API; raises NotFoundError."""
    found = home.api(name)
    if not found.state.exists() or found.root.parent != home.apis:
        raise missing(name)
    return found
