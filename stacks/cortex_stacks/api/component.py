"""One API as a Pulumi component."""

from typing import Any

import pulumi
from pulumi import CustomTimeouts, Output, ResourceOptions

from cortex_stacks.api.manifests import resources
from cortex_stacks.api.metadata import Manifest
from cortex_stacks.args import SyncAPIArgs
from cortex_stacks.labels import NAME
from cortex_stacks.providing import Object, register

_HISTORY = ("release", "bundle", "wheel")
_AFTER = {
    **dict.fromkeys(_HISTORY, ("account",)),
    # What pods mount is there before they are; both scale from the first moment on.
    "deployment": ("account", "release", "bundle", "wheel", "keys"),
    "scaler": ("account", "release", "bundle", "wheel", "keys"),
    # Requests come once replicas are ready; on a destroy they end before those do.
    "service": ("deployment",),
    "route": ("deployment", "service", "traffic-policy", "network-policy"),
}
_MARGIN = 120


class SyncAPI(pulumi.ComponentResource):
    """The objects of one API, in an order in which an update loses no request.

    Objects of a revision outlive it, so that there is something to go back to: they
    belong to the ServiceAccount, and Kubernetes collects them when that is deleted.
    """

    def __init__(
        self, name: str, args: SyncAPIArgs, opts: ResourceOptions | None = None
    ) -> None:
        super().__init__("cortex:api:SyncAPI", name, None, opts)
        made: dict[str, Object] = {}
        for part, manifest in resources(args).items():
            first = [made[each] for each in _AFTER.get(part, ()) if each in made]
            inputs = _sealed(manifest)
            if part in _HISTORY:
                inputs["metadata"] = _owned(manifest["metadata"], made["account"])
            own = ResourceOptions(
                parent=self,
                depends_on=first,
                retain_on_delete=part in _HISTORY,
                custom_timeouts=_patience(part, args),
            )
            made[part] = register(f"{name}-{part}", inputs, own)
        self.register_outputs(
            {
                "name": args.name,
                "namespace": args.namespace,
                "endpoint": args.endpoint,
                "revision": args.revision,
            }
        )


def _patience(part: str, args: SyncAPIArgs) -> CustomTimeouts:
    """A long rollout is no failure, and a stuck one ends by its own deadline."""
    if part != "deployment":
        return CustomTimeouts(create="2m", update="2m", delete="2m")
    drained = f"{args.drain.grace + _MARGIN}s"
    return CustomTimeouts(create="24h", update="24h", delete=drained)


def _sealed(manifest: Manifest) -> dict[str, Any]:
    """The inputs of an object; the data of a Secret is encrypted in the state."""
    if manifest["kind"] != "Secret":
        return dict(manifest)
    return {**manifest, "data": Output.secret(manifest["data"])}


def _owned(metadata: Manifest, account: Object) -> Manifest:
    owner = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "name": metadata["labels"][NAME],
        "uid": account.metadata["uid"],
        # So a destroy is over when they are gone too.
        "blockOwnerDeletion": True,
    }
    return {**metadata, "ownerReferences": [owner]}
