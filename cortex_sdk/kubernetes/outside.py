"""What a deploy would do, for those who deploy by other means."""

from typing import TYPE_CHECKING

from cortex_sdk._targets import target_of
from cortex_sdk.declaration.deployable import Deployable
from cortex_sdk.declaration.sync_api import SyncAPI
from cortex_sdk.errors import UnsupportedError
from cortex_sdk.kubernetes.engine import EngineSettings, environment
from cortex_sdk.kubernetes.engine.folders import Folders
from cortex_sdk.kubernetes.target import Kubernetes
from cortex_sdk.local.home import Home

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.plan import KubernetesPlan


def planned(api: Deployable, target: str | None) -> "tuple[Kubernetes, KubernetesPlan]":
    """What a deploy would do; reads the cluster, and touches nothing.

    Args:
        api: The declaration.
        target: Name of a target, None for `$CORTEX_TARGET`.

    Raises:
        UnsupportedError: The target is no cluster, or cannot honour a setting.
        CortexError: See `Kubernetes.plan`.
    """
    if not isinstance(api, SyncAPI):
        msg = f"{api.name} is a TrafficSplitter, and this is for a SyncAPI only"
        raise UnsupportedError(msg)
    found = target_of(target)
    if not isinstance(found, Kubernetes):
        msg = (
            f"the target {found.name!r} is no cluster; name one of type kubernetes,"
            " with --target or CORTEX_TARGET"
        )
        raise UnsupportedError(msg)
    from cortex_sdk.kubernetes import planning  # noqa: PLC0415  # loads a client

    return found, planning.plan_of_api(found, api, saved=None, refresh=False)


def state_variables(target: Kubernetes) -> dict[str, str]:
    """Variables with which the Pulumi CLI works on the state that deploys write."""
    folders = Folders(Home.of_user().root / "pulumi")
    settings = EngineSettings(home=folders.root, backend=target.backend)
    found = {"PULUMI_BACKEND_URL": environment.backend_url(settings, folders)}
    if target.backend is None:
        found["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(folders.passphrase)
    # The key to the secrets is in the state, and not in a file of this folder.
    found["PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER"] = "true"
    return found
