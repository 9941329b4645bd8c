"""Objects of each sort, for the stacks of the tests."""

import copy
from typing import Any

SECRET = "hunter2"


def container(cpu: str = "1000m", **more: Any) -> dict[str, Any]:
    return {"name": "app", "image": "app:1", "resources": {"limits": {"cpu": cpu}}} | (
        more
    )


def manifests(space: str) -> dict[str, Any]:
    """A namespace, and one object of each sort in it."""
    labels = {"app": "web"}
    place = {"namespace": space}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container()]}}
    found: dict[str, Any] = {
        "space": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}},
        "config": {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": place,
            "data": {"a": "1"},
        },
        "keys": {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": place | {"name": "keys"},
            "stringData": {"password": SECRET},
        },
        "web": {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": place | {"name": "web"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": template,
            },
        },
        "front": {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": place | {"name": "front"},
            "spec": {"selector": labels, "ports": [{"port": 80}]},
        },
        "gadget": {
            "apiVersion": "test.example/v1",
            "kind": "Gadget",
            "metadata": place | {"name": "gadget"},
            "spec": {"size": 1},
        },
    }
    return copy.deepcopy(found)


def only(found: dict[str, Any], *names: str) -> dict[str, Any]:
    """Some of the objects."""
    return {name: found[name] for name in names}
