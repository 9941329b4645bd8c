"""What a deploy would change on this machine."""

from typing import TYPE_CHECKING

from cortex_sdk._preview import Preview, effects_of
from cortex_sdk.errors import NotFoundError
from cortex_sdk.local import offline
from cortex_sdk.local.gateway.port import url, wanted_port
from cortex_sdk.local.gateway.split import Split
from cortex_sdk.local.gateway.state import GatewayState
from cortex_sdk.local.home import Home

if TYPE_CHECKING:
    from cortex_sdk.local.agent.state import ApiState
    from cortex_sdk.local.planning import LocalPlan


def preview_of(plan: "LocalPlan | Split", home: Home) -> Preview:
    """A plan next to what is written down; asks no agent, starts nothing."""
    if isinstance(plan, Split):
        before = offline.split(home, plan.name)
        effects = effects_of(before.effects if before else {}, plan.effects)
    else:
        effects = effects_of(_before(home, plan.name), _after(plan))
    return Preview(
        name=plan.name,
        target="local",
        endpoint=url(wanted_port() or GatewayState.read(home).port, plan.endpoint),
        revision=plan.revision,
        effects=effects,
    )


def _after(plan: "LocalPlan") -> dict[str, str]:
    keys = plan.release.keys is not None
    return _rows(plan.revision, plan.endpoint, keys=keys, retries=plan.idempotent)


def _before(home: Home, name: str) -> dict[str, str]:
    try:
        state = offline.state(home, name)
    except NotFoundError:
        return {}
    return _rows_of(state)


def _rows_of(state: "ApiState") -> dict[str, str]:
    if (current := state.current) is None:
        return {}
    reach = state.reach
    return _rows(
        current.revision,
        reach.endpoint,
        keys=current.has_keys,
        retries=reach.idempotent,
    )


def _rows(revision: str, endpoint: str, *, keys: bool, retries: bool) -> dict[str, str]:
    return {
        "revision": revision,
        "replicas": "1",
        "endpoint": endpoint,
        "callers": "those with a key" if keys else "everybody",
        "retries": "on another replica" if retries else "none",
        "downtime": "none",
    }
