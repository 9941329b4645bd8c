"""The folder in which processes with user code keep their metrics while they run."""

import shutil
import tempfile
from pathlib import Path

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class MetricsFolder:
    """A folder of one replica; whoever ends a replica by force removes what is beside.

    Args:
        admin: Admin address of the replica.
    """

    def __init__(self, admin: str) -> None:
        is_socket = admin.startswith("unix:")
        beside = Path(admin.removeprefix("unix:")).parent if is_socket else None
        self.path = Path(tempfile.mkdtemp(prefix="metrics-", dir=beside))

    @property
    def variables(self) -> dict[str, str]:
        """What prometheus_client in a process has to find in its environment."""
        return {_VARIABLE: str(self.path)}

    def retire_dead(self) -> None:
        """Keep what processes that have ended counted, and let their files go."""
        if any(self.path.iterdir()):
            from cortex_server.supervisor.user_metrics import (  # noqa: PLC0415  # few need it
                UserMetrics,
            )

            UserMetrics(self.path, {}).retire()

    def remove(self) -> None:
        """Let all of it go."""
        shutil.rmtree(self.path, ignore_errors=True)
