"""What clients ask of the agent, and what it answers."""

from typing import Annotated

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, InstanceOf, PlainSerializer

from cortex_sdk.local.agent.state import Reach
from cortex_sdk.local.gateway.split import Split
from cortex_server.manifest import Manifest


class DeployRequest(BaseModel):
    """What a client asks to be deployed; archive, class and environment lie ready."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    manifest: Annotated[
        InstanceOf[Manifest],
        BeforeValidator(lambda value: msgspec.convert(value, Manifest)),
        PlainSerializer(msgspec.to_builtins),
    ]
    secrets: dict[str, str]
    keys: tuple[str, ...] | None = None
    """API keys, None where everybody may call."""
    python: str
    reach: Reach
    gateway_port: int | None = None
    """Where the gateway should listen, None for where it does."""


class SplitRequest(BaseModel):
    """A traffic splitter that a client asks for."""

    model_config = ConfigDict(frozen=True)

    split: Split
    gateway_port: int | None = None


class Outcome(BaseModel):
    """What became of a request."""

    model_config = ConfigDict(frozen=True)

    endpoint: str = ""
    revision: str = ""
    changed: bool = True
