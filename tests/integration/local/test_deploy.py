from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from integration.local.machine import Machine, wait_for
from integration.local.project import Project

from cortex_sdk import DeployError, NotFoundError
from cortex_sdk._call import call
from cortex_sdk.local.home import Home
from cortex_sdk.local.target import LocalTarget

INIT_FAILS = """
class Echo:
    def __init__(self):
        raise RuntimeError("no such model")

    def predict(self, payload):
        return payload
"""


def ask(endpoint: str, payload: object = 1) -> object:
    return call(endpoint, payload, timeout=30)


def test_a_deploy_serves_when_it_returns(project: Project, local: LocalTarget) -> None:
    applied = project.deploy("return payload + 1")

    assert ask(applied.endpoint) == 2
    assert applied.changed
    assert local.status("echo").as_dict() == {
        "name": "echo",
        "target": "local",
        "endpoint": applied.endpoint,
        "status": "live",
        "reason": "",
        "revision": applied.revision,
        "replicas": {"desired": 1, "live": 1},
        "traffic": None,
    }


def test_an_unchanged_deploy_starts_nothing(project: Project, machine: Machine) -> None:
    first = project.deploy()
    replicas = machine.replicas()

    second = project.deploy()

    assert not second.changed
    assert second.revision == first.revision
    assert machine.replicas() == replicas


def test_a_changed_deploy_replaces_the_replica(
    project: Project, machine: Machine
) -> None:
    endpoint = project.deploy("return 1").endpoint
    replicas = machine.replicas()

    assert project.deploy("return 2").changed

    assert ask(endpoint) == 2
    wait_for(lambda: len(machine.replicas()) == 1)
    assert not machine.replicas() & replicas


def test_a_changed_endpoint_moves_the_route_and_starts_nothing(
    project: Project, machine: Machine
) -> None:
    before = project.deploy()
    replicas = machine.replicas()

    after = project.deploy(networking={"endpoint": "/other/place"})

    assert after.changed
    assert after.endpoint.endswith("/other/place")
    assert ask(after.endpoint) == 1
    assert httpx.post(before.endpoint, json=1).status_code == 404
    assert machine.replicas() == replicas


def test_a_failing_first_deploy_is_listed_with_its_reason(
    project: Project, local: LocalTarget, machine: Machine
) -> None:
    with pytest.raises(DeployError, match="no such model") as caught:
        project.deploy_code(INIT_FAILS)

    status = local.status("echo")
    assert "raise RuntimeError" in caught.value.traceback
    assert (status.status, status.revision) == ("error", "")
    assert "no such model" in status.reason
    assert machine.replicas() == set()


def test_a_failing_update_keeps_what_served(
    project: Project, local: LocalTarget
) -> None:
    before = project.deploy("return 1")

    with pytest.raises(DeployError, match="no such model"):
        project.deploy_code(INIT_FAILS)

    status = local.status("echo")
    assert ask(before.endpoint) == 1
    assert (status.status, status.revision) == ("live", before.revision)
    assert status.reason.startswith("update to ")
    assert "no such model" in status.reason


def test_a_deploy_of_what_serves_clears_the_failure_of_an_update(
    project: Project, local: LocalTarget
) -> None:
    project.deploy("return 1")
    with pytest.raises(DeployError):
        project.deploy_code(INIT_FAILS)

    assert not project.deploy("return 1").changed

    assert local.status("echo").reason == ""


def test_an_endpoint_in_use_is_refused_by_the_name_of_its_owner(
    project: Project, local: LocalTarget
) -> None:
    project.deploy(name="first")

    with pytest.raises(DeployError, match="/first belongs to the API 'first'"):
        project.deploy(name="second", networking={"endpoint": "/first"})

    assert [status.name for status in local.list()] == ["first"]


def test_the_longest_endpoint_wins(project: Project) -> None:
    outer = project.deploy("return 'outer'", name="outer")
    inner = project.deploy(
        "return 'inner'", name="inner", networking={"endpoint": "/outer/inner"}
    )

    assert ask(outer.endpoint) == "outer"
    assert ask(inner.endpoint) == "inner"


def test_rollback_serves_the_earlier_revision(
    project: Project, local: LocalTarget
) -> None:
    first = project.deploy("return 1")
    second = project.deploy("return 2")

    back = local.rollback("echo")

    assert back.revision == first.revision
    assert ask(back.endpoint) == 1
    assert [served.revision for served in local.history("echo")] == [
        first.revision,
        second.revision,
        first.revision,
    ]


def test_rollback_to_an_unknown_revision_says_so(
    project: Project, local: LocalTarget
) -> None:
    project.deploy()

    with pytest.raises(DeployError, match="no revision 'abc' to roll back to"):
        local.rollback("echo", "abc")


def test_delete_leaves_a_gateway_that_answers_404(
    project: Project, local: LocalTarget, machine: Machine, home: Home
) -> None:
    endpoint = project.deploy().endpoint

    local.delete("echo")

    answer = httpx.post(endpoint, json=1)
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")
    assert local.list() == []
    assert machine.replicas() == set()
    assert not home.api("echo").root.exists()


def test_a_deleted_api_can_be_deployed_again(
    project: Project, local: LocalTarget
) -> None:
    project.deploy("return 1")
    local.delete("echo")

    assert ask(project.deploy("return 1").endpoint) == 1


def test_an_accepted_request_is_answered_by_what_it_was_sent_to(
    project: Project, local: LocalTarget, tmp_path: Path
) -> None:
    slow = f"import time, pathlib; pathlib.Path({str(tmp_path)!r}, 'in').touch()"
    endpoint = project.deploy(f"{slow}; time.sleep(3); return 'old'").endpoint

    with ThreadPoolExecutor() as pool:
        answer = pool.submit(ask, endpoint)
        wait_for((tmp_path / "in").exists)
        project.deploy("return 'new'")
        assert ask(endpoint) == "new"
        assert not answer.done()
        assert answer.result() == "old"


def test_delete_waits_for_accepted_requests(
    project: Project, local: LocalTarget, tmp_path: Path
) -> None:
    slow = f"import time, pathlib; pathlib.Path({str(tmp_path)!r}, 'in').touch()"
    endpoint = project.deploy(f"{slow}; time.sleep(3); return 'done'").endpoint

    with ThreadPoolExecutor() as pool:
        answer = pool.submit(ask, endpoint)
        wait_for((tmp_path / "in").exists)
        local.delete("echo")
        assert answer.result(timeout=1) == "done"


@pytest.mark.parametrize("verb", ["status", "delete", "metrics", "history", "rollback"])
def test_an_unknown_name_is_not_found(
    verb: str, local: LocalTarget, machine: Machine
) -> None:
    with pytest.raises(NotFoundError, match="there is no API 'iris' on local"):
        getattr(local, verb)("iris")

    assert machine.all() == set(), "nothing is started to find that out"


def test_two_deploys_of_one_api_at_once_come_one_after_the_other(
    project: Project, local: LocalTarget, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Project(tmp_path / "other", local)

    with ThreadPoolExecutor() as pool:
        applied = list(
            pool.map(
                lambda one: one[0].deploy(one[1]),
                [(project, "return 1"), (other, "return 2")],
            )
        )

    served = [one.revision for one in local.history("echo")]
    assert sorted(served) == sorted(one.revision for one in applied)
    assert local.status("echo").revision == served[-1]


def test_two_clients_that_start_the_agent_at_once_get_the_same_one(
    project: Project, local: LocalTarget, machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = Project(tmp_path / "other", local)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(project.deploy, name="first")
        second = pool.submit(other.deploy, name="second")
        assert ask(first.result().endpoint) == ask(second.result().endpoint) == 1

    assert len(machine.agents()) == len(machine.gateways()) == 1


def test_secrets_and_env_reach_the_predictor_and_no_file_but_their_own(
    project: Project, home: Home
) -> None:
    applied = project.deploy(
        "import os; return [os.environ['TOKEN'], os.environ['MODE']]",
        secrets={"TOKEN": "hush-hush"},
        env={"MODE": "fast"},
    )

    assert ask(applied.endpoint) == ["hush-hush", "fast"]
    holding = [
        path
        for path in home.root.rglob("*")
        if path.is_file() and b"hush-hush" in path.read_bytes()
    ]
    assert holding == [home.api("echo").secrets(applied.revision)]
    assert holding[0].stat().st_mode & 0o777 == 0o600


def test_the_environment_of_the_deploying_shell_stays_there(
    project: Project, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")

    found = ask(project.deploy("import os; return dict(os.environ)").endpoint)

    assert isinstance(found, dict)
    assert found["OMP_NUM_THREADS"] == "3"
    assert found["CORTEX_HOME"] == str(home.root)
    assert "AWS_SECRET_ACCESS_KEY" not in found


def test_metrics_add_up_what_was_answered(project: Project, local: LocalTarget) -> None:
    endpoint = project.deploy().endpoint
    for _ in range(3):
        ask(endpoint)

    found = local.metrics("echo")

    assert found.requests == {"200": 3}
    assert 0 < found.latency["p50"] <= found.latency["p99"]
