"""The folder in which processes with user code keep their metrics while they run."""

import os
from pathlib import Path

_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PRIVATE = 0o700


class MetricsFolder:
    """A folder of one replica; whoever ends a replica by force removes what is beside.

    Args:
        admin: Admin address of the replica.
    """

    def __init__(self, admin: str) -> None:
        socket = Path(
            admin.removeprefix("unix:")
        ).absolute()  # the worker goes elsewhere
        folder = socket.parent if admin.startswith("unix:") else _elsewhere()
        self.path = folder / f"metrics-{os.urandom(8).hex()}"
        self.path.mkdir(mode=_PRIVATE)

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
        import shutil  # noqa: PLC0415  # a start need not wait for it

        shutil.rmtree(self.path, ignore_errors=True)


def _elsewhere() -> Path:
    import tempfile  # noqa: PLC0415  # takes long, and a socket has a folder

    return Path(tempfile.gettempdir())
