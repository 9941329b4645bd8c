from typing import Any

import pytest

from cortex_sdk.kubernetes.pods import Trouble, is_ready, step_of, trouble_of
from cortex_server.manifest import StartFailure

Json = dict[str, Any]


def pod(
    main: Json | None = None, init: Json | None = None, **conditions: tuple[str, str]
) -> Json:
    """A pod whose containers are in those states."""
    status: Json = {
        "conditions": [
            {"type": kind, "status": state, "reason": reason, "message": reason}
            for kind, (state, reason) in conditions.items()
        ]
    }
    if main is not None:
        status["containerStatuses"] = [{"name": "api", "image": "h/i:1", **main}]
    if init is not None:
        status["initContainerStatuses"] = [{"name": "install", "image": "p", **init}]
    return {"metadata": {"name": "iris-1", "labels": {}}, "status": status}


def ended(message: str = "", reason: str = "Error", code: int = 1) -> Json:
    return {"terminated": {"exitCode": code, "reason": reason, "message": message}}


def trouble(found: Json) -> Trouble:
    what = trouble_of([found])
    assert what is not None
    return what


def test_a_pod_that_is_well_is_no_trouble() -> None:
    well = pod({"state": {"running": {}}, "ready": True}, Ready=("True", ""))

    assert trouble_of([well]) is None
    assert is_ready(well)


def test_a_pod_that_ends_is_not_ready() -> None:
    ending = pod(Ready=("True", ""))
    ending["metadata"]["deletionTimestamp"] = "now"

    assert not is_ready(ending)


def test_an_image_that_is_not_there_is_named() -> None:
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}

    said = trouble(pod({"state": waiting}))

    assert "image h/i:1 cannot be pulled: not found" in said.reason
    assert said.is_final


def test_a_first_failure_to_pull_may_go_by_itself() -> None:
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "timeout"}}

    assert not trouble(pod({"state": waiting})).is_final


def test_the_scheduler_is_quoted_and_nodes_may_come() -> None:
    unschedulable = pod(PodScheduled=("False", "Unschedulable"))
    unschedulable["status"]["conditions"][0]["message"] = "0/3 nodes: Insufficient cpu"

    said = trouble(unschedulable)

    assert "0/3 nodes: Insufficient cpu" in said.reason
    assert not said.is_final


def test_a_predictor_that_fails_is_told_with_the_users_frames() -> None:
    failure = StartFailure(message="ValueError: no", traceback='File "app.py", line 3')

    said = trouble(pod({"state": ended(failure.json().decode())}))

    assert said == Trouble("ValueError: no", 'File "app.py", line 3')


def test_why_the_last_server_ended_counts_while_the_next_one_waits() -> None:
    failure = StartFailure(message="ValueError: no").json().decode()
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}

    said = trouble(pod({"state": waiting, "lastState": ended(failure)}))

    assert said.reason == "ValueError: no"


def test_a_server_that_came_up_again_is_no_trouble() -> None:
    again = pod({"state": {"running": {}}, "ready": True, "lastState": ended("x")})

    assert trouble_of([again]) is None


@pytest.mark.parametrize("kind", ["main", "init"])
def test_too_much_memory_is_said_with_the_field(kind: str) -> None:
    killed = {"state": ended(reason="OOMKilled", code=137)}

    said = trouble(pod(**{kind: killed}))

    assert "`compute.mem`" in said.reason


def test_an_end_without_a_reason_is_tried_again_once() -> None:
    first = trouble(pod({"state": ended("Segmentation fault"), "restartCount": 0}))
    second = trouble(pod({"state": ended("Segmentation fault"), "restartCount": 1}))

    assert "Segmentation fault" in first.reason
    assert (first.is_final, second.is_final) == (False, True)


def test_the_errors_of_pip_are_what_is_said_of_it() -> None:
    log = "Looking in indexes: h\nERROR: No matching distribution found for nope\n\n"

    said = trouble(pod(init={"state": ended(log)}))

    assert said.reason == (
        "packages could not be installed in the pods:"
        " ERROR: No matching distribution found for nope"
    )


def test_what_is_final_goes_before_what_may_pass() -> None:
    passing = pod(PodScheduled=("False", "Unschedulable"))
    final = pod({"state": ended(reason="OOMKilled")})

    said = trouble_of([passing, final])

    assert said is not None
    assert said.is_final


@pytest.mark.parametrize(
    ("found", "step"),
    [
        (pod(init={"state": {"running": {}}}), "installing packages in the pods"),
        (pod(PodScheduled=("False", "x")), "waiting for a node with room"),
        (pod({"state": {"running": {}}}), "loading the predictor"),
        (pod(), "starting pods"),
    ],
)
def test_what_pods_are_doing_is_told(found: Json, step: str) -> None:
    assert step_of([found]) == step


def test_pods_that_are_ready_do_nothing_worth_telling() -> None:
    assert step_of([pod(Ready=("True", ""))]) == ""
