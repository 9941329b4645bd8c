"""A traffic splitter as the gateway sees it: the plan of a deploy, and its state."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict

from cortex_sdk._traffic import Traffic
from cortex_sdk.local.home import write

if TYPE_CHECKING:
    from cortex_sdk.declaration.traffic_splitter import TrafficSplitter

_REVISION = 12


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class SplitRule(_Record):
    """Requests with a header of exactly this value go to one API."""

    header: str
    value: str
    api: str


class SplitSticky(_Record):
    """What keeps a caller with one API: a cookie or a header, one of both."""

    cookie: str | None = None
    header: str | None = None
    lifetime: float | None = None
    """Seconds that the cookie is kept."""


class Split(_Record):
    """Where the requests to one endpoint go."""

    format: Literal[1] = 1
    name: str
    endpoint: str
    apis: dict[str, int]
    """Percentage of each API; they add up to 100."""
    shadow: dict[str, int] = {}
    rules: tuple[SplitRule, ...] = ()
    sticky: SplitSticky | None = None

    @classmethod
    def of(cls, splitter: "TrafficSplitter") -> Self:
        """What a declaration means."""
        return cls(
            name=splitter.name,
            endpoint=splitter.endpoint,
            apis=splitter.apis,
            shadow=splitter.shadow,
            rules=tuple(SplitRule(**rule.model_dump()) for rule in splitter.rules),
            sticky=SplitSticky(**splitter.sticky.model_dump())
            if splitter.sticky
            else None,
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read one; raises OSError or ValidationError."""
        return cls.model_validate_json(path.read_bytes())

    def write(self, path: Path) -> None:
        """Replace the one on disk; raises OSError."""
        write(path, self.model_dump_json(indent=2).encode())

    @property
    def names(self) -> list[str]:
        """Every API that requests or copies go to."""
        return [*self.apis, *self.shadow]

    @property
    def revision(self) -> str:
        """Content hash, 12 hex digits."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:_REVISION]

    @property
    def effects(self) -> dict[str, str]:
        """What a preview says of it."""
        return {"endpoint": self.endpoint, **self.traffic.rows(), "downtime": "none"}

    @property
    def traffic(self) -> Traffic:
        """The same in words."""
        return Traffic.of(self.apis, self.shadow, self.rules, self.sticky)
