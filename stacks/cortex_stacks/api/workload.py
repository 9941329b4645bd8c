"""The Deployment of an API, and what belongs to its pods."""

from cortex_stacks.api.metadata import Manifest, metadata
from cortex_stacks.api.pod.container import START_LIMIT, container
from cortex_stacks.api.pod.preparing import init_containers
from cortex_stacks.api.pod.volumes import volumes
from cortex_stacks.api.quantity import share
from cortex_stacks.args import SyncAPIArgs
from cortex_stacks.labels import labels, of_revision, selector

_USER = 65532  # "nonroot" by convention; no image needs an entry for it
_PULL_AND_INSTALL = 1800
PROGRESS_LIMIT = _PULL_AND_INSTALL + START_LIMIT
"""Seconds without a further ready replica after which a rollout counts as stuck: what
the slowest replica takes to pull an image, install packages and load its model. One
that fails says so itself and much sooner."""


def deployment(args: SyncAPIArgs) -> Manifest:
    """Replicas of one revision, without their number: that is the scaler's alone."""
    update = {
        "maxSurge": share(args.max_surge),
        "maxUnavailable": share(args.max_unavailable),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(args, more_labels=of_revision(args.revision)),
        "spec": {
            "selector": {"matchLabels": selector(args.name, "api")},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": update},
            "progressDeadlineSeconds": PROGRESS_LIMIT,
            "revisionHistoryLimit": 2,
            "template": pod_template(args),
        },
    }


def pod_template(args: SyncAPIArgs) -> Manifest:
    """What every replica is; a change of it, and only that, restarts them."""
    marks = labels(args.name, "api", args.stack) | of_revision(args.revision)
    return {"metadata": {"labels": marks}, "spec": _pod(args)}


def _pod(args: SyncAPIArgs) -> Manifest:
    placement = args.placement
    optional = {
        "initContainers": init_containers(args),
        "imagePullSecrets": [{"name": name} for name in args.runtime.pull_secrets],
        "nodeSelector": placement.node_selector,
        "tolerations": list(placement.tolerations),
    }
    return {
        "serviceAccountName": args.name,
        "automountServiceAccountToken": False,
        # Else every Service of the namespace is a few variables in each replica.
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": args.drain.grace,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": _spread(args),
        **{field: value for field, value in optional.items() if value},
        "containers": [container(args)],
        "volumes": volumes(args),
    }


def _spread(args: SyncAPIArgs) -> list[Manifest]:
    """As declared; else over nodes as far as that goes, each revision by itself."""
    whose = {"labelSelector": {"matchLabels": selector(args.name, "api")}}
    nodes = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "matchLabelKeys": ["pod-template-hash"],
    }
    return [whose | each for each in args.placement.topology_spread or (nodes,)]


def service_account(args: SyncAPIArgs) -> Manifest:
    """Who the pods are, for clouds that give rights by it; not to Kubernetes itself."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(args),
        "automountServiceAccountToken": False,
    }


def disruption_budget(args: SyncAPIArgs) -> Manifest:
    """One replica at a time makes way when nodes are drained.

    Those that are not ready never hold a node back: they serve nobody.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(args),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": selector(args.name, "api")},
        },
    }
