"""How an API is doing, in the words that every target uses."""

from collections.abc import Mapping
from dataclasses import dataclass

from cortex_sdk._target import Replicas, State, Status
from cortex_sdk._traffic import condition_of
from cortex_sdk.local.agent.state import ApiState
from cortex_sdk.local.gateway.split import Split


@dataclass(frozen=True, slots=True)
class View:
    """What is seen of an API beside what is written down."""

    is_ready: bool = False
    """Whether its replica answers."""
    trouble: str = ""
    """What is wrong with the replica or the gateway, "" while nothing is known."""
    is_stopped: bool = False
    """Whether the user wants nothing to run."""


def status_of(state: ApiState, view: View, url: str) -> Status:
    """The status of an API that is reached at `url`."""
    condition, reason = _condition(state, view)
    return Status(
        name=state.name,
        target="local",
        endpoint=url,
        status=condition,
        reason=reason,
        revision=state.current.revision if state.current else "",
        replicas=Replicas(
            desired=1 if state.current or state.candidate else 0,
            live=1 if view.is_ready else 0,
        ),
    )


def status_of_split(
    split: Split, apis: Mapping[str, Status], url: str, *, is_stopped: bool
) -> Status:
    """The status of a splitter that is reached at `url`: that of what it leads to."""
    condition, reason = condition_of(split.apis, apis)
    return Status(
        name=split.name,
        target="local",
        endpoint=url,
        status="stopped" if is_stopped else condition,
        reason="" if is_stopped else reason,
        revision=split.revision,
        replicas=Replicas(desired=0, live=0),
        traffic=split.traffic,
    )


def _condition(state: ApiState, view: View) -> tuple[State, str]:
    if view.is_stopped:
        return "stopped", state.failure
    if state.deleting or state.candidate is not None:
        return "updating", _change(state)
    if state.current is None or view.trouble:
        return "error", view.trouble or state.failure
    if not view.is_ready:
        return "updating", "the replica is starting"
    return "live", state.failure


def _change(state: ApiState) -> str:
    if state.deleting or state.candidate is None:
        return "is being deleted"
    return f"revision {state.candidate.revision} is starting"
