"""When an object counts as ready: the rules of the real provider, as pure functions."""

from dataclasses import dataclass
from typing import Any

from e2e.provider.objects import annotation, name_of, nested
from e2e.provider.wire import Object

_REVISION = "deployment.kubernetes.io/revision"
_SETTING_UP = {"ContainerCreating", "PodInitializing"}


@dataclass(frozen=True)
class Readiness:
    """How far an object is, and what stands in its way."""

    message: str
    is_ready: bool = False
    problems: tuple[str, ...] = ()
    is_hopeless: bool = False  # it will not become ready by waiting


def deployment(
    item: Object, replica_sets: list[Object], pods: list[Object]
) -> Readiness:
    """A Deployment is ready when its newest ReplicaSet is, and it says so itself."""
    newest = _newest(item, replica_sets)
    if not _is_observed(item) or newest is None:
        return Readiness("Waiting for the Deployment controller")
    wanted = nested(newest, "spec", "replicas") or 0
    ready = nested(newest, "status", "readyReplicas") or 0
    rolled = annotation(item, _REVISION) == "1" or _has_rolled_out(item)
    if rolled and ready >= wanted and _condition(item, "Available") == "True":
        return Readiness("Deployment initialization complete", is_ready=True)
    problems = [
        text for pod in pods if _owns(newest, pod) for text in pod_problems(pod)
    ]
    return Readiness(
        f"Waiting for app ReplicaSet to be available ({ready}/{wanted} Pods available)",
        problems=(*_complaints(item), *problems),
    )


def service(item: Object, slices: list[Object], *, settled: bool) -> Readiness:
    """A Service is ready when no Pod that it selects is still on its way."""
    spec = item["spec"]
    if spec.get("type") == "LoadBalancer" and not nested(
        item, "status", "loadBalancer", "ingress"
    ):
        text = "Service was not allocated an IP address"
        return Readiness("Attempting to allocate IP address", problems=(text,))
    special = spec.get("clusterIP") == "None" or spec.get("type") == "ExternalName"
    if special or not spec.get("selector"):
        return Readiness("Service initialization complete", is_ready=True)
    if slices and settled and not any(map(is_pending, slices)):
        return Readiness("Service initialization complete", is_ready=True)
    text = "Service does not target any Pods, or selected Pods may not be ready"
    return Readiness("Finding Pods to direct traffic to", problems=(text,))


def is_pending(endpoint_slice: Object) -> bool:
    """Whether an address of a slice is not ready, and not about to go either."""
    conditions = [one["conditions"] for one in endpoint_slice.get("endpoints") or []]
    return any(
        one.get("ready") is False and not one.get("terminating") for one in conditions
    )


def job(item: Object) -> Readiness:
    """A Job is ready when it is complete."""
    if _condition(item, "Complete") == "True":
        return Readiness("Job initialization complete", is_ready=True)
    failed = _condition(item, "Failed") == "True"
    return Readiness(
        "Waiting for Job to succeed", problems=_complaints(item), is_hopeless=failed
    )


def stateful_set(item: Object) -> Readiness:
    """A StatefulSet is ready when all of its Pods are, at the newest revision."""
    status = item.get("status") or {}
    wanted = nested(item, "spec", "replicas")
    counts = {status.get("updatedReplicas", 0), status.get("readyReplicas", 0)}
    done = _is_observed(item) and counts == {wanted}
    return Readiness(f"Waiting for StatefulSet ({counts} of {wanted} Pods)", done)


def daemon_set(item: Object) -> Readiness:
    """A DaemonSet is ready when the newest form of its Pod is on every node."""
    status = item.get("status") or {}
    wanted = status.get("desiredNumberScheduled")
    counts = {status.get("updatedNumberScheduled", 0), status.get("numberAvailable", 0)}
    done = _is_observed(item) and counts == {wanted}
    return Readiness(f"Waiting for DaemonSet ({counts} of {wanted} Pods)", done)


def pod(item: Object) -> Readiness:
    """A Pod is ready when it says so, or when it has done its work."""
    done = nested(item, "status", "phase") == "Succeeded"
    ready = done or _condition(item, "Ready") == "True"
    return Readiness("Waiting for Pod to be ready", ready, tuple(pod_problems(item)))


def claim(item: Object, binding: str) -> Readiness:
    """A claim is ready when bound, or when only its first user makes it so."""
    waits = binding == "WaitForFirstConsumer"
    phase = nested(item, "status", "phase")
    ready = phase == "Bound" or (waits and phase == "Pending")
    return Readiness(f"Waiting for PersistentVolumeClaim ({phase})", ready)


def pod_problems(item: Object) -> list[str]:
    """What keeps a Pod from running, in the words of its status."""
    name = f"[Pod {item['metadata'].get('namespace')}/{name_of(item)}]"
    status = item.get("status") or {}
    found = [
        f"{name}: {one.get('reason')}: {one.get('message')}"
        for one in status.get("conditions") or []
        if one["type"] == "PodScheduled" and one["status"] == "False"
    ]
    lists = ("initContainerStatuses", "containerStatuses")
    for container in [one for key in lists for one in status.get(key) or []]:
        text = _container_problem(container)
        found += [f"{name}: container {container['name']}: {text}"] if text else []
    return found


def _container_problem(container: Object) -> str:
    waiting = nested(container, "state", "waiting") or {}
    if waiting and waiting.get("reason") not in _SETTING_UP:
        return f"[{waiting.get('reason')}] {waiting.get('message', '')}".rstrip()
    ended = nested(container, "state", "terminated") or {}
    if ended.get("exitCode"):
        text = f"[{ended.get('reason')}] exit code {ended['exitCode']}"
        return f"{text}: {ended['message']}" if ended.get("message") else text
    return ""


def _newest(item: Object, replica_sets: list[Object]) -> Object | None:
    revision = annotation(item, _REVISION)
    mine = [one for one in replica_sets if _owns(item, one)]
    return next((one for one in mine if annotation(one, _REVISION) == revision), None)


def _owns(owner: Object, item: Object) -> bool:
    references = item["metadata"].get("ownerReferences") or []
    return any(one["uid"] == owner["metadata"]["uid"] for one in references)


def _has_rolled_out(item: Object) -> bool:
    reason = "NewReplicaSetAvailable"
    return any(
        one["type"] == "Progressing"
        and one["status"] == "True"
        and one.get("reason") == reason
        for one in _conditions(item)
    )


def _complaints(item: Object) -> tuple[str, ...]:
    """What an object's own conditions say against it."""
    bad = {"Available": "False", "Progressing": "False", "Failed": "True"}
    return tuple(
        f"[{one.get('reason')}] {one.get('message')}"
        for one in _conditions(item)
        if bad.get(one["type"]) == one["status"]
    )


def _is_observed(item: Object) -> bool:
    generation = nested(item, "metadata", "generation")
    return bool(nested(item, "status", "observedGeneration") == generation)


def _condition(item: Object, kind: str) -> str:
    found = (one["status"] for one in _conditions(item) if one["type"] == kind)
    return str(next(found, ""))


def _conditions(item: Object) -> list[dict[str, Any]]:
    return nested(item, "status", "conditions") or []
