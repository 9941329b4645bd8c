"""When objects count as ready."""

from typing import Any

import pytest
from e2e.provider import readiness, wait_for

REVISION = "deployment.kubernetes.io/revision"
AVAILABLE = {"type": "Available", "status": "True"}
ROLLED = {
    "type": "Progressing",
    "status": "True",
    "reason": "NewReplicaSetAvailable",
}


def deployment(revision: str, *conditions: Any, observed: int = 2) -> Any:
    return {
        "metadata": {
            "name": "web",
            "uid": "d",
            "generation": 2,
            "annotations": {REVISION: revision},
        },
        "status": {"observedGeneration": observed, "conditions": list(conditions)},
    }


def replica_set(revision: str, ready: int, uid: str = "r") -> Any:
    return {
        "metadata": {
            "name": uid,
            "uid": uid,
            "annotations": {REVISION: revision},
            "ownerReferences": [{"uid": "d"}],
        },
        "spec": {"replicas": 2},
        "status": {"readyReplicas": ready},
    }


def pod(**status: Any) -> Any:
    owners = [{"uid": "r"}]
    return {
        "metadata": {"name": "p", "namespace": "n", "ownerReferences": owners},
        "status": status,
    }


def test_a_first_deployment_is_ready_when_it_is_available() -> None:
    sets = [replica_set("1", 2)]
    assert readiness.deployment(deployment("1", AVAILABLE), sets, []).is_ready


def test_a_rollout_is_over_only_when_the_deployment_says_so() -> None:
    sets = [replica_set("2", 2), replica_set("1", 2, "old")]
    assert not readiness.deployment(deployment("2", AVAILABLE), sets, []).is_ready
    done = deployment("2", AVAILABLE, ROLLED)
    assert readiness.deployment(done, sets, []).is_ready


def test_an_old_replica_set_makes_nothing_ready() -> None:
    done = deployment("2", AVAILABLE, ROLLED)
    assert not readiness.deployment(done, [replica_set("1", 2)], []).is_ready
    assert not readiness.deployment(done, [replica_set("2", 1)], []).is_ready


def test_a_status_of_an_older_generation_says_nothing() -> None:
    stale = deployment("2", AVAILABLE, ROLLED, observed=1)
    assert not readiness.deployment(stale, [replica_set("2", 2)], []).is_ready


def test_a_deployment_that_waits_says_what_its_pods_say() -> None:
    waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling"}
    sick = pod(containerStatuses=[{"name": "app", "state": {"waiting": waiting}}])
    late = {"type": "Progressing", "status": "False", "reason": "R", "message": "M"}
    found = readiness.deployment(deployment("1", late), [replica_set("1", 0)], [sick])
    assert "0/2" in found.message
    assert found.problems == (
        "[R] M",
        "[Pod n/p]: container app: [ImagePullBackOff] Back-off pulling",
    )


def test_a_pod_that_is_being_set_up_has_no_problem() -> None:
    waiting = {"waiting": {"reason": "ContainerCreating"}}
    assert not readiness.pod_problems(
        pod(containerStatuses=[{"name": "app", "state": waiting}])
    )


def test_a_pod_that_nobody_takes_and_one_that_failed_say_why() -> None:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "no nodes",
    }
    ended = {"terminated": {"exitCode": 3, "reason": "Error", "message": "boom"}}
    sick = pod(
        conditions=[condition],
        initContainerStatuses=[{"name": "prepare", "state": ended}],
    )
    assert readiness.pod_problems(sick) == [
        "[Pod n/p]: Unschedulable: no nodes",
        "[Pod n/p]: container prepare: [Error] exit code 3: boom",
    ]


def service(**spec: Any) -> Any:
    return {"metadata": {"name": "web"}, "spec": {"selector": {"a": "b"}, **spec}}


def slices(**conditions: bool) -> Any:
    return [{"endpoints": [{"conditions": conditions}]}]


def test_a_service_waits_for_the_pods_that_it_selects() -> None:
    ready = readiness.service(service(), slices(ready=True), settled=True)
    pending = readiness.service(service(), slices(ready=False), settled=True)
    early = readiness.service(service(), slices(ready=True), settled=False)
    going = slices(ready=False, terminating=True)
    assert ready.is_ready
    assert not pending.is_ready
    assert not early.is_ready
    assert readiness.service(service(), going, settled=True).is_ready
    assert not readiness.service(service(), [], settled=True).is_ready


@pytest.mark.parametrize(
    "spec", [{"clusterIP": "None"}, {"type": "ExternalName"}, {"selector": None}]
)
def test_a_service_without_pods_of_its_own_waits_for_nothing(spec: Any) -> None:
    assert readiness.service(service(**spec), [], settled=False).is_ready


def test_a_load_balancer_waits_for_its_address() -> None:
    item = service(type="LoadBalancer")
    assert not readiness.service(item, slices(ready=True), settled=True).is_ready
    item["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    assert readiness.service(item, slices(ready=True), settled=True).is_ready


def test_a_failed_job_is_hopeless() -> None:
    failed = {"type": "Failed", "status": "True", "reason": "Backoff", "message": "m"}
    found = readiness.job({"status": {"conditions": [failed]}})
    assert found.is_hopeless
    assert found.problems == ("[Backoff] m",)


ROUTE: Any = {
    "metadata": {"generation": 2},
    "status": {
        "count": 3,
        "conditions": [
            {"type": "Accepted", "status": "True", "observedGeneration": 2},
            {"type": "Programmed", "status": "True", "observedGeneration": 1},
        ],
        "parents": [{"conditions": [{"type": "Accepted", "status": "True"}]}],
    },
}
PARENT = '{.status.parents[0].conditions[?(@.type=="Accepted")].status}'


@pytest.mark.parametrize(
    "expression",
    [
        "condition=Accepted",
        "condition=accepted=true",
        "jsonpath={.status.count}=3",
        "jsonpath={.status.count}",
        f"jsonpath={PARENT}=True",
        '["condition=Accepted", "jsonpath={.status.count}=3"]',
    ],
)
def test_expressions_that_are_met(expression: str) -> None:
    assert wait_for.check(ROUTE, expression).is_ready


@pytest.mark.parametrize(
    "expression",
    [
        "condition=Programmed",  # of an older generation
        "condition=Accepted=False",
        "condition=Absent",
        "jsonpath={.status.count}=4",
        "jsonpath={.status.absent}",
        f"jsonpath={PARENT}=False",
        '["condition=Accepted", "condition=Absent"]',
    ],
)
def test_expressions_that_are_not_met(expression: str) -> None:
    found = wait_for.check(ROUTE, expression)
    assert not found.is_ready
    assert found.message


@pytest.mark.parametrize("expression", ["Accepted", "jsonpath=.status.count=3", "[]"])
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"expected|format|at least one"):
        wait_for.check(ROUTE, expression)
