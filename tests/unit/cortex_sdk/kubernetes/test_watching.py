from typing import Any

import pytest

from cortex_sdk.kubernetes.watching import _condition, is_rolled_out

Json = dict[str, Any]


def deployment(**status: int) -> Json:
    """A Deployment of two replicas, all of which are new and ready unless said."""
    well = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas"), 2)
    labels = {"cortex-sdk/revision": "new"}
    return {
        "metadata": {"generation": 3},
        "spec": {"replicas": 2, "template": {"metadata": {"labels": labels}}},
        "status": {"observedGeneration": 3, **well, **status},
    }


def pod(*, ready: bool = True, waiting: str = "") -> Json:
    state = {"waiting": {"reason": waiting, "message": "why"}} if waiting else {}
    return {
        "metadata": {"name": "iris-1"},
        "status": {
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"name": "api", "image": "h/i:1", "state": state}],
        },
    }


@pytest.mark.parametrize(
    "status",
    [
        {"observedGeneration": 2},
        {"updatedReplicas": 1},
        {"readyReplicas": 1},
        {"replicas": 3},
    ],
    ids=str,
)
def test_a_rollout_is_over_when_all_replicas_are_new_and_ready(
    status: dict[str, int],
) -> None:
    assert is_rolled_out(deployment())
    assert not is_rolled_out(deployment(**status))


def test_an_api_whose_replicas_are_ready_is_live() -> None:
    assert _condition(deployment(), [pod()]) == ("live", "")


def test_one_that_is_rolled_out_says_which_revision_starts() -> None:
    found = _condition(deployment(updatedReplicas=1), [pod()])

    assert found == ("updating", "revision new is starting")


def test_one_that_cannot_come_up_is_an_error_only_while_nothing_serves() -> None:
    broken = pod(ready=False, waiting="ImagePullBackOff")

    alone = _condition(deployment(readyReplicas=0), [broken])
    beside = _condition(deployment(readyReplicas=1), [broken, pod()])

    assert (alone[0], beside[0]) == ("error", "updating")
    assert "cannot be pulled" in alone[1]


def test_one_that_is_being_deleted_says_so() -> None:
    ending = deployment()
    ending["metadata"]["deletionTimestamp"] = "now"

    assert _condition(ending, []) == ("updating", "is being deleted")
