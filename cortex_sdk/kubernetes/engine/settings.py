"""What the engine is told by its caller."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Where state is kept, and what every run is checked with."""

    home: Path
    """The engine's folder, `$CORTEX_HOME/pulumi`."""
    backend: str | None = None
    """URL of a Pulumi backend; unset for files under `home`."""
    secrets_provider: str | None = None
    """What encrypts secrets in the state of a named backend, such as
    "awskms://alias/cortex"; unset for a passphrase."""
    policy_packs: tuple[Path, ...] = ()
    """Folders of policy packs that every run has to pass."""
    consent: Callable[[str], bool] | None = None
    """Asks whether the Pulumi CLI may be installed; unset to ask in a terminal."""
