"""The environment of the Pulumi CLI; this process's own is left alone."""

import importlib.metadata
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from cortex_sdk.kubernetes.engine.folders import Folders
from cortex_sdk.kubernetes.engine.settings import EngineSettings

PASSPHRASE_VARIABLES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
_ALWAYS = {
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
    "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
    "PULUMI_SUPPRESS_NEO_LINK": "true",
    # What an interrupted run made, or an earlier revision left, is taken over.
    # Whose an object is, is checked by its labels before a run begins.
    "PULUMI_K8S_UPSERT_EXISTING_OBJECTS": "true",
}


def variables(
    settings: EngineSettings, folders: Folders, ours: Mapping[str, str]
) -> dict[str, str]:
    """What the CLI gets besides `ours`, the environment of this process."""
    found = {**_ALWAYS, "PULUMI_BACKEND_URL": backend_url(settings, folders)}
    if uses_own_passphrase(settings, ours):
        found["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(folders.passphrase)
    if has_provider(ours):
        found["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    return found


def backend_url(settings: EngineSettings, folders: Folders) -> str:
    """Where the state is: the user's choice, or our folder."""
    return settings.backend or f"file://{folders.state}"


def uses_own_passphrase(
    settings: EngineSettings, ours: Mapping[str, str] = os.environ
) -> bool:
    """Whether state is encrypted with the passphrase that we made.

    Passphrases in the environment belong to other projects unless the user named
    the backend too.
    """
    if settings.backend is None:
        return True
    return not any(ours.get(name) for name in PASSPHRASE_VARIABLES)


def has_provider(ours: Mapping[str, str]) -> bool:
    """Whether the Kubernetes provider is there, so that nothing need be downloaded."""
    version = importlib.metadata.version("pulumi-kubernetes")
    home = Path(ours.get("PULUMI_HOME") or Path.home() / ".pulumi")
    plugin = home / "plugins" / f"resource-kubernetes-v{version}"
    path = ours.get("PATH", os.defpath)
    on_path = shutil.which("pulumi-resource-kubernetes", path=path)
    return plugin.exists() or on_path is not None
