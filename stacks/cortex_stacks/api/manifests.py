"""One API as plain Kubernetes objects: a pure function of its arguments."""

from cortex_stacks.api.files import bundle, keys, release, wheel
from cortex_stacks.api.metadata import Manifest
from cortex_stacks.api.network import admin_service, network_policy, service
from cortex_stacks.api.routing import route, traffic_policy
from cortex_stacks.api.scaling import scaled_object
from cortex_stacks.api.workload import deployment, disruption_budget, service_account
from cortex_stacks.args import SyncAPIArgs


def resources(args: SyncAPIArgs) -> dict[str, Manifest]:
    """All objects of an API by their logical name, in the order in which they are made.

    The same arguments give the same objects; what differs from one deploy to the next
    (`deployed_at`, `pickle` of the same class) is in the release alone.
    """
    every = {
        "account": service_account(args),
        "release": release(args),
        "bundle": bundle(args),
        "wheel": wheel(args),
        "keys": keys(args),
        "network-policy": network_policy(args),
        "disruption-budget": disruption_budget(args),
        "deployment": deployment(args),
        "scaler": scaled_object(args),
        "service": service(args),
        "admin": admin_service(args),
        "traffic-policy": traffic_policy(args),
        "route": route(args),
    }
    return {name: manifest for name, manifest in every.items() if manifest is not None}
