"""What the provider resource says: which cluster, and how objects go there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from e2e.provider import kubeconfig

_PREFIX = "kubernetes:config:"


@dataclass(frozen=True)
class Settings:
    """The inputs of a provider resource, as far as the stand-in knows them."""

    kubeconfig: str = ""  # a path or the text itself; empty means the user's own
    context: str = ""
    namespace: str = ""
    patch_force: bool = False
    upsert: bool = False
    mutable_config_maps: bool = False
    mutable_secrets: bool = False
    delete_unreachable: bool = False

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> "Settings":
        """Read the variables of a Configure request.

        Raises:
            ValueError: Server-side apply is switched off; there is nothing else here.
        """
        values = {key.removeprefix(_PREFIX): text for key, text in variables.items()}
        if values.get("enableServerSideApply") == "false":
            raise ValueError(
                "The stand-in for the Kubernetes provider knows only server-side apply."
            )

        def on(name: str) -> bool:
            return values.get(name) == "true"

        return cls(
            kubeconfig=values.get("kubeconfig", ""),
            context=values.get("context", ""),
            namespace=values.get("namespace", ""),
            patch_force=on("enablePatchForce"),
            upsert=on("upsertExistingObjects"),
            mutable_config_maps=on("enableConfigMapMutable"),
            mutable_secrets=on("enableSecretMutable"),
            delete_unreachable=on("deleteUnreachable"),
        )


def replaced(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The provider inputs whose change means another cluster.

    A change of `clusterIdentifier` always does; where it stayed, nothing else does.
    """
    identifier = "clusterIdentifier"
    if old.get(identifier) and new.get(identifier):
        return [identifier] if old[identifier] != new[identifier] else []
    before, after = _cluster(old), _cluster(new)
    if not before or not after or before == after:
        return []
    keys = ("kubeconfig", "context", "cluster")
    return [key for key in keys if old.get(key) != new.get(key)]


def _cluster(inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """The cluster that provider inputs name, None where they name none."""
    if not inputs.get("kubeconfig"):
        return None
    config = kubeconfig.load(inputs["kubeconfig"]).config
    context = kubeconfig.entry(config, "context", inputs.get("context"))
    return kubeconfig.entry(config, "cluster", inputs.get("cluster")) or (
        kubeconfig.entry(config, "cluster", context.get("cluster"))
    )
