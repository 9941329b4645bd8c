from typing import Any

import pytest
from stacks_cases import iris

from cortex_stacks.api import program
from cortex_stacks.args import Cluster

ARGS = iris(
    secrets={"TOKEN": "sesame"},
    keys=("key-of-sixteen-letters",),
    features=frozenset({"BackendTrafficPolicy"}),
)
SECRET = "4dabf18193072939515e22adb298388d"
"""How Pulumi marks a value that is encrypted in the state."""


@pytest.fixture
def requests(recorder: Any) -> Any:
    recorder.run(program(Cluster(), ARGS))
    return {
        name.removeprefix("iris-"): each for name, each in recorder.requests.items()
    }


def after(requests: Any, name: str) -> set[str]:
    urns = requests[name].dependencies
    return {urn.rpartition("::")[2].removeprefix("iris-") for urn in urns}


def test_all_objects_belong_to_one_component(requests: Any) -> None:
    objects = [
        each for each in requests.values() if each.type.startswith("kubernetes:")
    ]

    assert requests["iris"].type == "cortex:api:SyncAPI"
    parents = {each.parent.rpartition("::")[2] for each in objects}
    assert parents == {"iris"}


def test_files_are_there_before_the_pods_that_mount_them(requests: Any) -> None:
    assert {"release", "bundle", "wheel", "keys"} <= after(requests, "deployment")


def test_requests_come_when_replicas_are_ready(requests: Any) -> None:
    assert {"deployment", "service", "traffic-policy"} <= after(requests, "route")


def test_what_there_is_to_go_back_to_outlives_its_revision(requests: Any) -> None:
    kept = {name for name, each in requests.items() if each.retainOnDelete}

    assert kept == {"release", "bundle", "wheel"}


def test_what_outlives_its_revision_goes_with_the_api(requests: Any) -> None:
    for name in ("release", "bundle", "wheel"):
        (owner,) = requests[name].object["metadata"]["ownerReferences"]
        assert owner["kind"] == "ServiceAccount"
        assert owner["uid"] == "uid-of-iris-account"


def test_secrets_are_encrypted_in_the_state(requests: Any) -> None:
    for name in ("release", "keys"):
        assert SECRET in requests[name].object["data"]


def test_a_delete_waits_until_accepted_requests_are_answered(requests: Any) -> None:
    assert requests["deployment"].customTimeouts.delete == "765s"
