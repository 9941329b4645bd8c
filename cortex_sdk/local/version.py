"""Which agent fits this SDK."""

from importlib.metadata import version

from cortex_server.manifest import PYTHON_VERSION

VERSION = f"{version('cortex-sdk')} on Python {PYTHON_VERSION}"
"""Clients replace an agent that has another version; its replicas stay."""
