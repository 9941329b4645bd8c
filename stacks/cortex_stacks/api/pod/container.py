"""The container that serves."""

from cortex_stacks.api.files import KEYS, MANIFEST, PICKLE, SECRETS
from cortex_stacks.api.metadata import Manifest
from cortex_stacks.api.pod.volumes import (
    PATHS,
    SITE,
    bundle_path,
    installs,
    mounts_to_serve,
)
from cortex_stacks.api.quantity import milli, size
from cortex_stacks.args import Compute, SyncAPIArgs

NAME = "api"
HTTP, ADMIN = 8080, 8081
START_LIMIT = 1800
"""Seconds that a predictor gets to load: models of tens of gigabytes take minutes."""


def container(args: SyncAPIArgs) -> Manifest:
    """One replica: what it runs, what it asks for, and how its health is seen."""
    return {
        "name": NAME,
        "image": args.runtime.image,
        **pull_policy(args),
        "command": ["python", "-P", "-m", "cortex_server"],
        "args": _arguments(args),
        "env": _environment(args),
        "ports": [
            {"name": "http", "containerPort": HTTP},
            {"name": "admin", "containerPort": ADMIN},
        ],
        "resources": _resources(args.compute),
        **_probes(),
        # The reason of a failed start, else the last lines of the log.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": CONFINED,
        "volumeMounts": mounts_to_serve(args),
    }


CONFINED: Manifest = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def pull_policy(args: SyncAPIArgs) -> Manifest:
    """When the image is pulled, where that is not left to Kubernetes."""
    policy = args.runtime.pull_policy
    return {"imagePullPolicy": policy} if policy else {}


def _arguments(args: SyncAPIArgs) -> list[str]:
    release, work = PATHS["release"], PATHS["work"]
    options = {
        "manifest": f"{release}/{MANIFEST}",
        "bundle": bundle_path(args),
        "root": f"{work}/project",
        "models": f"{work}/models",
        "class": f"{release}/{PICKLE}" if args.pickle is not None else None,
        "secrets": f"{release}/{SECRETS}" if args.secrets else None,
        "keys": f"{PATHS['keys']}/{KEYS}" if args.keys is not None else None,
        "listen": f"0.0.0.0:{HTTP}",
        "admin": f"0.0.0.0:{ADMIN}",
        "replica": "$(POD_NAME)",
        "failure": "/dev/termination-log",
        "withdraw": f"{args.drain.withdraw:g}",
    }
    return [f"--{name}={value}" for name, value in options.items() if value]


def _environment(args: SyncAPIArgs) -> list[Manifest]:
    own_name = {"fieldRef": {"fieldPath": "metadata.name"}}
    values = {
        "HOME": PATHS["tmp"],
        # The user has no entry in /etc/passwd, and libraries ask who they run as.
        "USER": "cortex",
        # Compiled once in a pod, though the packages cannot be written to.
        "PYTHONPYCACHEPREFIX": f"{PATHS['tmp']}/pycache",
    }
    if installs(args):
        values["PYTHONPATH"] = SITE
    plain = [{"name": name, "value": value} for name, value in values.items()]
    return [{"name": "POD_NAME", "valueFrom": own_name}, *plain]


def _resources(compute: Compute) -> Manifest:
    """What the scheduler sets aside, and what may not be exceeded.

    No limit on CPU: it would throttle a replica on an idle node, in the middle of
    requests. A limit on memory keeps one from taking its neighbours along.
    """
    requests, limits = {"cpu": milli(compute.cpu)}, dict[str, str]()
    if compute.mem is not None:
        requests["memory"] = limits["memory"] = size(compute.mem)
    if compute.gpu:
        limits["nvidia.com/gpu"] = f"{compute.gpu}"
    if compute.inf:
        limits["aws.amazon.com/neuron"] = f"{compute.inf}"
    return {"requests": requests} | ({"limits": limits} if limits else {})


def _probes() -> Manifest:
    ready = {"path": "/readyz", "port": "admin"}
    alive = {"path": "/healthz", "port": "admin"}
    return {
        "startupProbe": {
            "httpGet": ready,
            "periodSeconds": 1,
            "timeoutSeconds": 5,
            "failureThreshold": START_LIMIT,
        },
        "readinessProbe": {
            "httpGet": ready,
            "periodSeconds": 2,
            "timeoutSeconds": 5,
            "failureThreshold": 2,
        },
        # A kill loses requests, so only a minute of silence is a reason.
        "livenessProbe": {
            "httpGet": alive,
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 6,
        },
    }
