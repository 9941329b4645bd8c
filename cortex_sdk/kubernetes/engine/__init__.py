"""Pulumi's engine, driven from Python: the only package that knows its Automation API.

`Engine` brings stacks up, previews and destroys them. Importing this package imports
no Pulumi; that happens when the first run begins.
"""

from cortex_sdk.kubernetes.engine.engine import Engine
from cortex_sdk.kubernetes.engine.outcome import Outcome
from cortex_sdk.kubernetes.engine.settings import EngineSettings

__all__ = ["Engine", "EngineSettings", "Outcome"]
