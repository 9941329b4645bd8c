import stat
from pathlib import Path

import httpx
import pytest
from integration.local.machine import Machine, kill, wait_for
from integration.local.project import Project

from cortex_sdk import InvalidSpecError, PredictError
from cortex_sdk._call import call
from cortex_sdk.local.home import Home
from cortex_sdk.local.target import LocalTarget

KEY, OTHER = "key-0123456789abcdef", "other-0123456789abcdef"
PAGE = "https://shop.example"


@pytest.fixture
def keys(project: Project, tmp_path: Path) -> Path:
    path = tmp_path / "project" / ".api-keys"
    path.write_text(KEY)
    return path


def status(endpoint: str, key: str | None) -> int:
    try:
        call(endpoint, 1, timeout=30, key=key)
    except PredictError as error:
        return error.status
    return 200


def test_only_callers_with_a_key_get_through_the_gateway(
    keys: Path, project: Project
) -> None:
    assert keys.exists()
    endpoint = project.deploy(auth={}).endpoint

    assert status(endpoint, KEY) == 200
    assert status(endpoint, OTHER) == 401
    assert status(endpoint, None) == 401


def test_other_keys_are_no_new_revision_and_restart_nothing(
    keys: Path, project: Project, machine: Machine
) -> None:
    before = project.deploy(auth={})
    replicas = machine.replicas()

    keys.write_text(OTHER)
    after = project.deploy(auth={})

    assert after.revision == before.revision
    assert after.changed
    wait_for(lambda: status(after.endpoint, OTHER) == 200)
    wait_for(lambda: status(after.endpoint, KEY) == 401)
    assert machine.replicas() == replicas
    assert not project.deploy(auth={}).changed


def test_keys_come_and_go_without_a_new_revision(
    keys: Path, project: Project, machine: Machine, home: Home
) -> None:
    assert keys.exists()
    opened = project.deploy()
    assert status(opened.endpoint, None) == 200

    closed = project.deploy(auth={})
    assert (closed.changed, closed.revision) == (True, opened.revision)
    assert status(closed.endpoint, None) == 401
    assert status(closed.endpoint, KEY) == 200

    again = project.deploy()
    assert status(again.endpoint, None) == 200
    wait_for(lambda: len(machine.replicas()) == 1)
    wait_for(lambda: not home.api("echo").keys.exists())


def test_a_rollback_keeps_the_keys(
    keys: Path, project: Project, local: LocalTarget
) -> None:
    assert keys.exists()
    project.deploy("return 1")
    project.deploy("return 2", auth={})

    back = local.rollback("echo")

    assert status(back.endpoint, KEY) == 200
    assert status(back.endpoint, None) == 401


def test_a_replica_that_is_restarted_asks_for_keys_too(
    keys: Path, project: Project, machine: Machine
) -> None:
    assert keys.exists()
    endpoint = project.deploy(auth={}).endpoint
    replicas = machine.replicas()

    kill(replicas)
    wait_for(lambda: bool(machine.replicas() - replicas))

    wait_for(lambda: status(endpoint, KEY) == 200)
    assert status(endpoint, None) == 401


def test_a_key_lies_in_one_file_of_this_user_alone(
    keys: Path, project: Project, home: Home
) -> None:
    assert keys.exists()
    applied = project.deploy(auth={})
    status(applied.endpoint, KEY)
    status(applied.endpoint, OTHER)

    holding = [
        path
        for path in home.root.rglob("*")
        if path.is_file()
        and {key for key in (KEY, OTHER) if key.encode() in path.read_bytes()}
    ]

    assert holding == [home.api("echo").keys]
    assert stat.S_IMODE(holding[0].stat().st_mode) == 0o600
    assert KEY not in str(project.said)


def test_a_missing_file_of_keys_is_told_before_anything_is_touched(
    project: Project, machine: Machine
) -> None:
    with pytest.raises(InvalidSpecError, match="does not exist; put one key on each"):
        project.deploy(auth={"file": "nowhere"})

    assert machine.all() == set()


def test_the_server_alone_answers_browsers(project: Project) -> None:

    endpoint = project.deploy(networking={"cors": {"allow_origins": [PAGE]}}).endpoint

    asked = {"origin": PAGE, "access-control-request-method": "POST"}
    preflight = httpx.options(endpoint, headers=asked)
    answer = httpx.post(endpoint, json=1, headers={"origin": PAGE})

    assert preflight.status_code == 204
    for response in (preflight, answer):
        assert response.headers.get_list("access-control-allow-origin") == [PAGE]
    assert answer.headers["access-control-expose-headers"] == "x-request-id"
