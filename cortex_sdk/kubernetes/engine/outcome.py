"""What a run of the engine did, or would do, as data."""

from dataclasses import dataclass, field
from typing import Any

from cortex_sdk._preview import ResourceChange


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended that went well."""

    changes: tuple[ResourceChange, ...] = ()
    outputs: dict[str, Any] = field(default_factory=dict)
    """What the program exported; secrets are "[secret]"."""
    resources: int = 0
    """Resources that the stack has after the run."""

    @property
    def changed(self) -> bool:
        """False when everything was the same already."""
        return bool(self.changes)
