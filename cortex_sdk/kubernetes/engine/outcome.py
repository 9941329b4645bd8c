"""What a run of the engine did, or would do, as data."""

from dataclasses import dataclass, field
from typing import Any, Literal

Op = Literal["create", "update", "replace", "delete"]


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that is not the same afterwards."""

    op: Op
    kind: str
    """As Kubernetes writes it: "apps/v1/Deployment", "v1/Service"."""
    name: str
    paths: tuple[str, ...] = ()
    """What differs, such as "spec.template"; never the values."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended that went well."""

    changes: tuple[Change, ...] = ()
    outputs: dict[str, Any] = field(default_factory=dict)
    """What the program exported; secrets are "[secret]"."""
    resources: int = 0
    """Resources that the stack has after the run."""

    @property
    def changed(self) -> bool:
        """False when everything was the same already."""
        return bool(self.changes)
