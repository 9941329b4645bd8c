"""What the platform of one target is worked on with."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cortex_sdk._target import Progress
from cortex_sdk.kubernetes.cluster.access import Access
from cortex_sdk.kubernetes.platform.settings import Platform
from cortex_stacks.args import Cluster, GatewayRef


class Outcome(Protocol):
    """What came of a run."""

    @property
    def changed(self) -> bool:
        """Whether anything was made, changed or deleted."""


class Engine(Protocol):
    """Runs Pulumi programs."""

    def up(
        self, stack: str, program: Callable[[], None], progress: Progress
    ) -> Outcome:
        """Make the cluster as the program says."""

    def destroy(self, stack: str, progress: Progress) -> Outcome:
        """Take away what the stack made, and the stack."""

    def exists(self, stack: str) -> bool:
        """Whether there is state of that stack."""


@dataclass(frozen=True, slots=True)
class Site:
    """A cluster, the engine that changes it, and what the target says of it."""

    target: str
    """Name of the target."""
    cluster: Cluster
    access: Access
    engine: Engine
    settings: Platform
    gateway: GatewayRef
    downloads: Path
    """Folder for manifests that were fetched."""
    stack: str
