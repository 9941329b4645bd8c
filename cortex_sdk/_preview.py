"""What a deploy would change, for those who use the API and for those who run it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from cortex_sdk import _rendering

Operation = Literal["create", "update", "replace", "delete"]


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that is seen from outside, before and after a deploy."""

    what: str
    """Such as "replicas" or "endpoint"."""
    before: str
    """"" where there was nothing."""
    after: str

    @property
    def is_change(self) -> bool:
        """Whether the deploy makes a difference to it."""
        return self.before != self.after


def effects_of(
    before: Mapping[str, str], after: Mapping[str, str]
) -> tuple[Effect, ...]:
    """What is seen from outside, by what it is: all that is there afterwards."""
    return tuple(Effect(what, before.get(what, ""), after[what]) for what in after)


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """One object of the target that a deploy would touch."""

    operation: Operation
    kind: str
    """Such as "apps/v1/Deployment"."""
    name: str
    paths: tuple[str, ...] = ()
    """What changes in it, such as "spec.template"; values are never shown."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What deploying an API would change on a target."""

    name: str
    target: str
    endpoint: str
    """URL that will answer predictions."""
    revision: str
    """Content hash of what would serve, 12 hex digits."""
    effects: tuple[Effect, ...] = ()
    resources: tuple[ResourceChange, ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether the target has no such API yet."""
        return not any(one.before for one in self.effects)

    @property
    def changed(self) -> bool:
        """Whether a deploy would do anything at all."""
        return bool(self.resources) or any(one.is_change for one in self.effects)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as `cortex preview -o json` prints them."""
        return {**asdict(self), "changed": self.changed}

    def __str__(self) -> str:
        return _rendering.preview_as_text(self)

    def _repr_html_(self) -> str:
        return _rendering.preview_as_html(self)
