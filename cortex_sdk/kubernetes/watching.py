"""The verbs that look at what runs on a cluster."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from cortex_sdk import _counting
from cortex_sdk._target import (
    Access,
    LogLine,
    Metrics,
    Replicas,
    Served,
    State,
    Status,
)
from cortex_sdk._traffic import has_no
from cortex_sdk.errors import TargetError
from cortex_sdk.kubernetes import endpoints, releases, splitter
from cortex_sdk.kubernetes import logs as log_lines
from cortex_sdk.kubernetes.cluster.forward import forwarded
from cortex_sdk.kubernetes.current import deployment, missing, wanted_revision
from cortex_sdk.kubernetes.endpoints import ROUTE
from cortex_sdk.kubernetes.opened import Opened
from cortex_sdk.kubernetes.platform import found
from cortex_sdk.kubernetes.pods import is_ready, pods_of, revision_of, trouble_of
from cortex_sdk.kubernetes.reaching import is_reached
from cortex_stacks.labels import COMPONENT, MANAGED_BY, NAME

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.target import Kubernetes

_OURS = f"{MANAGED_BY}=cortex-sdk,{COMPONENT}=api"
_HTTP, _ADMIN = 8080, 8081
_AT_ONCE = 8
_PATIENCE = 10.0

Json = dict[str, Any]


def names(target: "Kubernetes") -> Sequence[str]:
    """Names of all APIs and splitters of the namespace, in order."""
    opened = Opened.of(target)
    there = opened.access.metadata("apps/v1", "Deployment", opened.namespace, _OURS)
    splitters = [args.name for args in splitter.every(opened)]
    return sorted([*(each["name"] for each in there), *splitters])


def statuses(target: "Kubernetes") -> list[Status]:
    """All APIs and splitters of the namespace, by name."""
    opened = Opened.of(target)
    access, namespace = opened.access, opened.namespace
    there = access.list("apps/v1", "Deployment", namespace, _OURS)
    pods = access.list("v1", "Pod", namespace, f"{COMPONENT}=api")
    routes = access.list(*ROUTE, namespace, _OURS)
    urls = _gateway_urls(opened)
    found = [
        _status(
            opened,
            each,
            [pod for pod in pods if _name(pod) == _name(each)],
            _endpoint(target, _named(routes, _name(each)), _name(each), urls),
        )
        for each in there
    ]
    apis = {status.name: status for status in found}
    found += [
        splitter.status(target, args, apis, urls) for args in splitter.every(opened)
    ]
    return sorted(found, key=lambda status: status.name)


def status(target: "Kubernetes", name: str) -> Status:
    """One API or splitter; raises NotFoundError."""
    opened = Opened.of(target)
    if splitter.read(opened, name) is not None:
        return next(each for each in statuses(target) if each.name == name)
    there = deployment_of(opened, name)
    route = opened.access.get(*ROUTE, name, opened.namespace)
    endpoint = _endpoint(target, route, name, _gateway_urls(opened))
    return _status(opened, there, pods_of(opened, name), endpoint)


def logs(
    target: "Kubernetes", name: str, *, follow: bool, tail: int | None
) -> Iterator[LogLine]:
    """Log lines of all pods; raises NotFoundError."""
    opened = Opened.of(target)
    deployment_of(opened, name)
    return log_lines.read(opened, name, follow=follow, tail=tail)


def metrics(target: "Kubernetes", name: str) -> Metrics:
    """What all replicas that are ready counted; raises NotFoundError."""
    opened = Opened.of(target)
    deployment_of(opened, name)
    ready = [pod["metadata"]["name"] for pod in pods_of(opened, name) if is_ready(pod)]
    with ThreadPoolExecutor(_AT_ONCE) as several:
        return _counting.add_up(several.map(lambda pod: _scraped(opened, pod), ready))


def history(target: "Kubernetes", name: str) -> Sequence[Served]:
    """Revisions that served, oldest first; raises NotFoundError."""
    opened = Opened.of(target)
    there = deployment_of(opened, name)
    return releases.served(releases.kept(opened, name), wanted_revision(there))


@contextmanager
def reach(target: "Kubernetes", name: str, endpoint: str) -> Iterator[Access]:
    """A way from this machine to an API, through the API server if there is no other.

    Raises:
        TargetError: No replica is ready that could be asked, or a splitter is meant
            whose gateway is not reached from here.
    """
    if target.url or (not endpoints.is_inside(endpoint) and is_reached(endpoint)):
        yield Access(endpoint, endpoints.host_to_name(target))
        return
    opened = Opened.of(target)
    if splitter.read(opened, name) is not None:
        msg = (
            f"{name} is reached through the gateway alone, and that is not reached from"
            " here; say where it is with Kubernetes(url=...)"
        )
        raise TargetError(msg)
    ready = [pod for pod in pods_of(opened, name) if is_ready(pod)]
    if not ready:
        msg = f"no replica of {name} is ready; see `cortex get {name}`"
        raise TargetError(msg)
    pod = ready[0]["metadata"]["name"]
    with forwarded(opened.connection, opened.namespace, pod, _HTTP) as port:
        yield Access(f"http://127.0.0.1:{port}/")


def _scraped(opened: Opened, pod: str) -> str:
    try:
        with forwarded(opened.connection, opened.namespace, pod, _ADMIN) as port:
            url = f"http://127.0.0.1:{port}/metrics"
            answer = httpx.get(url, timeout=_PATIENCE, trust_env=False)
            return answer.raise_for_status().text
    except httpx.HTTPError as error:
        msg = f"the replica {pod} does not tell its metrics: {error}"
        raise TargetError(msg) from error


def deployment_of(opened: Opened, name: str) -> Json:
    """The Deployment of an API; raises NotFoundError, also for a splitter's name."""
    found = deployment(opened, name)
    if found is not None:
        return found
    if (args := splitter.read(opened, name)) is not None:
        raise has_no("replicas", name, args.weights)
    raise missing(name, opened.target.name)


def _gateway_urls(opened: Opened) -> tuple[str, ...]:
    """Where the gateway is reached; nowhere, as far as the user may not look."""
    try:
        gateway = found.gateway_of(opened.access, opened.gateway)
    except TargetError:
        return ()
    return gateway.urls if gateway else ()


def _endpoint(
    target: "Kubernetes", route: Json | None, name: str, urls: Sequence[str]
) -> str:
    base = endpoints.public(target, urls)
    if base is None or route is None:
        return endpoints.inside(name, target.namespace)
    path: str = route["spec"]["rules"][0]["matches"][0]["path"]["value"]
    return f"{base}{path}"


def _status(opened: Opened, there: Json, pods: list[Json], endpoint: str) -> Status:
    ready = Counter(revision_of(pod) for pod in pods if is_ready(pod))
    state, reason = _condition(there, pods)
    served = ready.most_common(1)[0][0] if ready else ""
    wanted = wanted_revision(there)
    return Status(
        name=_name(there),
        target=opened.target.name,
        endpoint=endpoint,
        status=state,
        reason=reason,
        revision=wanted if ready[wanted] and state == "live" else served,
        replicas=Replicas(
            desired=there["spec"].get("replicas", 1), live=sum(ready.values())
        ),
    )


def _condition(there: Json, pods: list[Json]) -> tuple[State, str]:
    if "deletionTimestamp" in there["metadata"]:
        return "updating", "is being deleted"
    trouble = trouble_of(pods)
    is_served = any(map(is_ready, pods))
    if trouble is not None:
        failed = trouble.is_final and not is_served
        return ("error" if failed else "updating"), trouble.reason
    if is_rolled_out(there):
        return "live", ""
    return "updating", f"revision {wanted_revision(there)} is starting"


def is_rolled_out(there: Json) -> bool:
    """Whether all replicas that there should be are of the newest kind, and ready."""
    status = there.get("status") or {}
    wanted = there["spec"].get("replicas", 1)
    return bool(
        status.get("observedGeneration", 0) >= there["metadata"].get("generation", 0)
        and status.get("updatedReplicas", 0) >= wanted
        and status.get("readyReplicas", 0) >= wanted
        and status.get("replicas", 0) <= status.get("updatedReplicas", 0)
    )


def _name(manifest: Json) -> str:
    return str(manifest["metadata"]["labels"][NAME])


def _named(manifests: Sequence[Json], name: str) -> Json | None:
    return next((each for each in manifests if _name(each) == name), None)
