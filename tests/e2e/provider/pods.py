"""Pods of a control plane without a node become ready because a thread says so."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from e2e.provider.control_plane import ControlPlane

_PERIOD = 0.3


@contextmanager
def made_ready(plane: ControlPlane) -> Iterator[None]:
    """Mark every Pod as running and ready, and let those go that must."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(_PERIOD):
            for number, pod in enumerate(_pods(plane)):
                _serve(plane, pod, number)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _pods(plane: ControlPlane) -> list[Any]:
    listed = plane.kubectl("get", "pods", "--all-namespaces", "--output=json")
    items: list[Any] = json.loads(listed)["items"]
    return items


def _serve(plane: ControlPlane, pod: Any, number: int) -> None:
    metadata = pod["metadata"]
    place = (metadata["name"], f"--namespace={metadata['namespace']}")
    # Either may fail, when the Pod goes in between.
    if "deletionTimestamp" in metadata:
        plane.failure("delete", "pod", *place, "--force", "--grace-period=0")
    elif pod["status"].get("phase") == "Pending":
        ready = {
            "phase": "Running",
            "podIP": f"10.251.0.{number + 1}",
            "podIPs": [{"ip": f"10.251.0.{number + 1}"}],
            "conditions": [{"type": "Ready", "status": "True"}],
        }
        patch = json.dumps({"status": ready})
        plane.failure("patch", "pod", *place, "--subresource=status", "--patch", patch)
