"""What is remembered of the gateway."""

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from cortex_sdk.local.gateway.port import DEFAULT_PORT
from cortex_sdk.local.home import Home, write
from cortex_sdk.local.process import Process


class GatewayState(BaseModel):
    """Where the gateway listens, and the Envoy that was started last."""

    model_config = ConfigDict(frozen=True)

    port: int = DEFAULT_PORT
    pid: int = 0
    started: float = 0.0

    @classmethod
    def read(cls, home: Home) -> Self:
        """What is on disk, the defaults where nothing useful is."""
        try:
            return cls.model_validate_json((home.gateway / "state").read_bytes())
        except (OSError, ValidationError):
            return cls()

    @property
    def process(self) -> Process:
        """Envoy, if it still runs."""
        return Process(self.pid, self.started)

    def write(self, home: Home) -> None:
        """Remember it; raises OSError."""
        write(home.gateway / "state", self.model_dump_json().encode())
