"""What the engine keeps of an object: its live form, and the inputs that made it."""

from dataclasses import dataclass
from typing import Any

from e2e.provider import objects
from e2e.provider.wire import Object, Secret, has_secret, plain

INPUTS = "__inputs"
VERSION = "__initialApiVersion"
MANAGER = "__fieldManager"


@dataclass(frozen=True)
class Checkpoint:
    """An object in the engine's state, without its marks of secrecy."""

    inputs: Object
    live: Object
    manager: str


def write(inputs: Object, live: Object, marked: Object, manager: str) -> Object:
    """The state of an object; secret is what is secret in `marked`."""
    state: Object = secretly(objects.underscored(live), marked)
    state[INPUTS] = secretly(objects.underscored(inputs), marked)
    state[VERSION] = inputs["apiVersion"]
    state[MANAGER] = manager
    return state


def read(state: Object) -> Checkpoint:
    """Read back what `write` wrote."""
    live: Object = objects.dashed(plain(state))
    inputs = live.pop(INPUTS, {})
    live.pop(VERSION, None)
    return Checkpoint(inputs, live, live.pop(MANAGER, ""))


def secretly(value: Object, marked: Object) -> Object:
    """The value, secret where `marked` is, and where it is the data of a Secret."""
    if value.get("kind") == "Secret":
        return {
            key: Secret(plain(part)) if key in {"data", "stringData"} else part
            for key, part in value.items()
        }
    return {key: _secretly(part, marked.get(key)) for key, part in value.items()}


def _secretly(value: Any, marked: Any) -> Any:
    if isinstance(value, dict) and isinstance(marked, dict):
        return secretly(value, marked)
    return Secret(plain(value)) if has_secret(marked) else value
