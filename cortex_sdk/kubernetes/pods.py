"""The pods of an API, and why one of them does not come up, in words."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from cortex_server.manifest import StartFailure
from cortex_stacks.labels import REVISION, selector

if TYPE_CHECKING:
    from cortex_sdk.kubernetes.opened import Opened

Json = dict[str, Any]

SERVER = "api"
"""The container that serves."""
_NO_IMAGE = {
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
}
_WRONG_CONFIG = {
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
}
_LAST_LINES = 5


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a pod does not come up."""

    reason: str
    """One sentence."""
    traceback: str = ""
    """Frames of the user's code, if any took part."""
    is_final: bool = True
    """Whether waiting longer is of no use."""


def pods_of(opened: "Opened", name: str, revision: str = "") -> list[Json]:
    """The pods of an API, of one revision if that is given."""
    labels = selector(name, "api") | ({REVISION: revision} if revision else {})
    wanted = ",".join(f"{key}={value}" for key, value in labels.items())
    return opened.access.list("v1", "Pod", opened.namespace, wanted)


def is_ready(pod: Json) -> bool:
    """Whether it answers requests."""
    return _condition(pod, "Ready").get("status") == "True" and not is_ending(pod)


def is_ending(pod: Json) -> bool:
    """Whether it was told to end."""
    return "deletionTimestamp" in pod["metadata"]


def revision_of(pod: Json) -> str:
    """The revision that it runs."""
    return str((pod["metadata"].get("labels") or {}).get(REVISION, ""))


def trouble_of(pods: Iterable[Json]) -> Trouble | None:
    """What is wrong with the first pod that will not come up, if any."""
    found = [trouble for pod in pods if (trouble := _trouble(pod))]
    return min(found, key=lambda each: not each.is_final, default=None)


def step_of(pods: Iterable[Json]) -> str:
    """What most of the pods that are not ready are doing."""
    waiting = [pod for pod in pods if not is_ready(pod) and not is_ending(pod)]
    steps = [_step(pod) for pod in waiting]
    return max(steps, key=steps.count, default="")


def _step(pod: Json) -> str:
    for status in _statuses(pod, "initContainerStatuses"):
        if "running" in status.get("state", {}):
            if status["name"] == "install":
                return "installing packages in the pods"
            return "fetching the project in the pods"
    if _condition(pod, "PodScheduled").get("status") == "False":
        return "waiting for a node with room"
    if any("running" in each.get("state", {}) for each in _statuses(pod)):
        return "loading the predictor"
    return "starting pods"


def _trouble(pod: Json) -> Trouble | None:
    scheduled = _condition(pod, "PodScheduled")
    if scheduled.get("reason") == "Unschedulable":
        said = scheduled.get("message", "no node fits")
        reason = f"no node takes a replica: {said}; ask for less in `compute`"
        return Trouble(reason, is_final=False)
    for status in _statuses(pod, "initContainerStatuses"):
        if trouble := _waiting(status) or _unprepared(status):
            return trouble
    for status in _statuses(pod):
        if trouble := _waiting(status) or _crashed(status):
            return trouble
    return None


def _waiting(status: Json) -> Trouble | None:
    """Why a container cannot even begin."""
    waiting = status.get("state", {}).get("waiting", {})
    said = str(waiting.get("message") or waiting.get("reason"))
    if waiting.get("reason") in _NO_IMAGE:
        return Trouble(
            f"the image {status['image']} cannot be pulled: {said}; check its name, and"
            " `pull_secrets` of the target if it is private",
            is_final=waiting["reason"] != "ErrImagePull",
        )
    if waiting.get("reason") in _WRONG_CONFIG:
        return Trouble(f"the container {status['name']} cannot start: {said}")
    return None


def _unprepared(status: Json) -> Trouble | None:
    """Why a container that comes before the server failed."""
    ended = _failed(status)
    if ended is None:
        return None
    if ended.get("reason") == "OOMKilled":
        return Trouble(
            "installing the packages took more memory than `compute.mem` allows; raise"
            " it, or use an `image` that has them"
        )
    lines = [line for line in ended.get("message", "").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    said = "\n".join((errors or lines)[-_LAST_LINES:]) or f"exit code {_code(ended)}"
    what = "packages" if status["name"] == "install" else "the project"
    verb = "installed" if status["name"] == "install" else "fetched"
    return Trouble(f"{what} could not be {verb} in the pods: {said}")


def _crashed(status: Json) -> Trouble | None:
    """Why the server ended, as it or its kernel said."""
    ended = _failed(status)
    if ended is None:
        return None
    if ended.get("reason") == "OOMKilled":
        return Trouble(
            "the replica took more memory than `compute.mem` allows and was killed;"
            " raise it"
        )
    text = ended.get("message", "")
    try:
        failure = msgspec.json.decode(text, type=StartFailure)
    except msgspec.DecodeError:
        lines = re.sub(r"\s+$", "", text).splitlines()[-_LAST_LINES:]
        said = "\n".join(lines) or f"exit code {_code(ended)}"
        has_tried_again = status.get("restartCount", 0) > 0
        return Trouble(f"the replica ended: {said}", is_final=has_tried_again)
    return Trouble(failure.message, failure.traceback)


def _failed(status: Json) -> Json | None:
    """How a container that is not well again ended, None where it did not fail."""
    if status.get("ready") or status.get("started"):
        return None
    ended: Json | None = status.get("state", {}).get("terminated") or status.get(
        "lastState", {}
    ).get("terminated")
    return ended if ended and _code(ended) else None


def _code(ended: Json) -> int:
    return int(ended.get("exitCode", 0))


def _statuses(pod: Json, kind: str = "containerStatuses") -> list[Json]:
    return list((pod.get("status") or {}).get(kind) or ())


def _condition(manifest: Json, kind: str) -> Json:
    conditions = (manifest.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each["type"] == kind), {})
