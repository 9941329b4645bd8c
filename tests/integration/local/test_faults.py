import asyncio
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from integration.local.load import Load
from integration.local.machine import Machine, kill, wait_for
from integration.local.project import Project

from cortex_sdk import TargetError
from cortex_sdk.local.agent.replica import Replica, StartError
from cortex_sdk.local.agent.state import ApiState
from cortex_sdk.local.gateway.port import PORT_VARIABLE
from cortex_sdk.local.home import HOME_VARIABLE, Home
from cortex_sdk.local.target import LocalTarget


def answers(endpoint: str) -> bool:
    try:
        return httpx.post(endpoint, json=1, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def test_a_killed_agent_leaves_traffic_and_state(
    project: Project, local: LocalTarget, machine: Machine
) -> None:
    endpoint = project.deploy().endpoint
    before, replicas, gateways = local.list(), machine.replicas(), machine.gateways()

    with Load(endpoint, connections=4) as load:
        kill(machine.agents())
        wait_for(lambda: load.sent > 100)
        after = local.list()

    assert load.failures() == {}
    assert after == before
    assert (machine.replicas(), machine.gateways()) == (replicas, gateways)


def test_the_next_agent_keeps_what_serves_and_not_what_drains(
    project: Project, local: LocalTarget, machine: Machine, tmp_path: Path
) -> None:
    slow = f"""
import pathlib, time
class Echo:
    def predict(self, payload):
        if payload == "slow":
            pathlib.Path({str(tmp_path)!r}, "in").touch()
            time.sleep(8)
        return "first"
"""
    first = project.deploy_code(slow)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(httpx.post, first.endpoint, json="slow", timeout=30)
        wait_for((tmp_path / "in").exists)
        project.deploy("return 'second'")
        back = local.rollback("echo")

        with Load(back.endpoint, connections=2) as load:
            kill(machine.agents())
            assert local.status("echo").status == "live"
            sent = load.sent
            wait_for(lambda: load.sent > sent + 100)

        assert back.revision == first.revision
        assert load.failures() == {}
        assert not answer.done()
        assert answer.result().text == "first"


def test_a_killed_replica_is_started_again(
    project: Project, local: LocalTarget, machine: Machine
) -> None:
    endpoint = project.deploy().endpoint
    killed = machine.replicas()

    kill(killed)

    wait_for(lambda: not machine.replicas() & killed)
    wait_for(lambda: local.status("echo").status == "live")
    wait_for(lambda: answers(endpoint))
    assert len(machine.replicas()) == 1


def test_without_a_ready_replica_the_gateway_says_when_to_come_again(
    project: Project, local: LocalTarget, machine: Machine
) -> None:
    code = """
import os, pathlib, time
class Echo:
    def __init__(self, config):
        once = pathlib.Path(config["once"])
        if once.exists():
            time.sleep(60)
        once.touch()
    def predict(self, payload):
        return payload
"""
    once = str(local._home.root / "once")
    endpoint = project.deploy_code(code, config={"once": once}).endpoint

    kill(machine.replicas())
    wait_for(lambda: local.status("echo").replicas.live == 0)

    answer = httpx.post(endpoint, json=1)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Service Unavailable"


def test_a_replica_that_keeps_failing_is_an_error_with_the_reason(
    project: Project, local: LocalTarget, machine: Machine
) -> None:
    code = """
import pathlib
class Echo:
    def __init__(self, config):
        once = pathlib.Path(config["once"])
        if once.exists():
            raise RuntimeError("the model is gone")
        once.touch()
    def predict(self, payload):
        return payload
"""
    once = local._home.root / "once"
    project.deploy_code(code, config={"once": str(once)})

    kill(machine.replicas())

    wait_for(lambda: "the model is gone" in local.status("echo").reason)
    assert local.status("echo").status == "error"
    once.unlink()
    wait_for(lambda: local.status("echo").status == "live")


def test_a_replica_that_never_becomes_ready_is_given_up(
    project: Project, home: Home, machine: Machine
) -> None:
    code = """
import pathlib, time
class Echo:
    def __init__(self, config):
        once = pathlib.Path(config["once"])
        if once.exists():
            time.sleep(600)
        once.touch()
    def predict(self, payload):
        return payload
"""
    project.deploy_code(code, config={"once": str(home.root / "once")})
    serving = machine.replicas()
    release = ApiState.read(home.api("echo").state).current
    assert release is not None

    async def start() -> None:
        await Replica.start(home, "echo", release).until_ready(limit=1.2)

    with pytest.raises(StartError, match=r"was not ready after 0\.02 minutes"):
        asyncio.run(start())
    assert machine.replicas() == serving


def test_a_killed_gateway_is_started_again(
    project: Project, local: LocalTarget, machine: Machine
) -> None:
    endpoint = project.deploy().endpoint
    killed = machine.gateways()

    kill(killed)

    wait_for(lambda: answers(endpoint))
    assert machine.gateways() != killed
    # The agent looks at the gateway now and then: it answers before that is seen.
    wait_for(lambda: local.status("echo").status == "live")


def test_after_a_reboot_the_next_command_revives_everything(
    project: Project, local: LocalTarget, machine: Machine
) -> None:
    endpoint = project.deploy("return 5").endpoint
    project.deploy("return 6", name="second")
    before = local.list()

    machine.crash()
    assert {status.name for status in local.list()} == {"echo", "second"}

    wait_for(lambda: local.list() == before)
    assert httpx.post(endpoint, json=1).json() == 5


def test_a_socket_without_an_agent_is_replaced(
    project: Project, home: Home, machine: Machine
) -> None:
    home.make()
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(home.agent_socket))

    assert answers(project.deploy().endpoint)

    assert len(machine.agents()) == 1


def test_a_port_in_use_is_one_sentence_and_leaves_nothing(
    project: Project, local: LocalTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv(PORT_VARIABLE, str(port))
        with pytest.raises(TargetError, match=f"port {port} .* is in use") as caught:
            project.deploy()

    assert f"set {PORT_VARIABLE}" in str(caught.value)
    assert local.list() == []


def test_a_port_freed_later_is_taken_then(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv(PORT_VARIABLE, str(other.getsockname()[1]))
        with pytest.raises(TargetError):
            project.deploy()

    assert answers(project.deploy().endpoint)


def test_an_api_can_be_deleted_while_its_gateway_has_no_port(
    project: Project, local: LocalTarget, machine: Machine
) -> None:
    port = urlsplit(project.deploy().endpoint).port
    machine.crash()

    with socket.create_server(("127.0.0.1", port or 0)):
        wait_for(lambda: "is in use" in local.status("echo").reason)
        local.delete("echo")

    assert local.list() == []
    assert machine.replicas() == set()


def test_another_port_moves_the_gateway_without_a_lost_request(
    project: Project,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = project.deploy().endpoint
    gateways = machine.gateways()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    monkeypatch.setenv(PORT_VARIABLE, str(port))

    with Load(before, connections=2) as load:
        after = project.deploy().endpoint
        wait_for(lambda: load.sent > 100)

    assert after.startswith(f"http://127.0.0.1:{port}/")
    assert answers(after)
    assert not answers(before)
    assert load.failures() == {}
    assert machine.gateways() == gateways


def test_a_move_to_a_port_in_use_stays_where_it_was(
    project: Project, local: LocalTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = project.deploy().endpoint

    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv(PORT_VARIABLE, str(other.getsockname()[1]))
        with pytest.raises(TargetError, match="is in use"):
            project.deploy()

    assert answers(endpoint)
    assert local.status("echo").endpoint == endpoint


def test_a_home_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "file" / "home"))
    elsewhere = Project(tmp_path / "project", LocalTarget())

    with pytest.raises(TargetError, match="cannot write to CORTEX_HOME"):
        elsewhere.deploy()


def test_a_deep_home_works_all_the_same(
    home: Home, tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = home.root / ("deep" * 30)
    monkeypatch.setenv(HOME_VARIABLE, str(deep))
    target = LocalTarget()

    try:
        assert answers(Project(tmp_path / "project", target).deploy().endpoint)
    finally:
        target.stop()
        shutil.rmtree(Home(deep).run)


def test_an_agent_of_another_version_is_replaced_and_its_replicas_stay(
    project: Project,
    local: LocalTarget,
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint = project.deploy().endpoint
    agents, replicas = machine.agents(), machine.replicas()
    monkeypatch.setattr("cortex_sdk.local.client.VERSION", "2.0 on Python 3.99")

    with Load(endpoint, connections=2) as load:
        status = local.status("echo")

    assert status.status == "live"
    assert load.failures() == {}
    assert not machine.agents() & agents
    assert machine.replicas() == replicas


def test_stop_ends_everything_and_a_deploy_brings_all_back(
    project: Project, local: LocalTarget, machine: Machine
) -> None:
    first = project.deploy("return 1", name="first")
    local.stop()

    assert machine.all() == set()
    assert [status.status for status in local.list()] == ["stopped"]
    assert local.status("first").endpoint == first.endpoint
    assert machine.all() == set(), "looking starts nothing"

    project.deploy("return 2", name="second")
    wait_for(lambda: [one.status for one in local.list()] == ["live", "live"])
    assert httpx.post(first.endpoint, json=1).json() == 1


def test_stop_with_nothing_running_is_no_error(
    local: LocalTarget, machine: Machine
) -> None:
    local.stop()

    assert machine.all() == set()


def test_an_agent_killed_during_a_deploy_is_started_again_and_the_deploy_goes_on(
    project: Project, local: LocalTarget, machine: Machine, tmp_path: Path
) -> None:
    project.deploy("return 1")
    code = """
import time
time.sleep(3)
class Echo:
    def predict(self, payload):
        return 2
"""
    said = project.said
    script = f"""
import sys
from cortex_sdk import SyncAPI
from cortex_sdk.local.target import LocalTarget
target = LocalTarget()
api = SyncAPI("app:Echo", project={str(tmp_path / "project")!r})
print(target.apply(target.plan(api), lambda line: print(line, flush=True)).changed)
"""
    (tmp_path / "project" / "app.py").write_text(code)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as deploy:
        assert deploy.stdout is not None
        assert deploy.stdout.readline() == "starting replica\n"
        half_started = machine.replicas()
        kill(machine.agents())
        rest = deploy.stdout.read()

    assert rest.splitlines() == [
        "the agent ended, starting another",
        "starting replica",
        "switching the gateway over",
        "True",
    ]
    endpoint = local.status("echo").endpoint
    assert httpx.post(endpoint, json=1).json() == 2
    wait_for(lambda: not machine.replicas() & half_started)
    assert said


def test_an_interrupted_client_leaves_the_deploy_to_the_agent(
    project: Project, local: LocalTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupting(list[str]):
        def append(self, line: str) -> None:
            super().append(line)
            if line == "starting replica":
                raise KeyboardInterrupt

    project.said = Interrupting()

    with pytest.raises(KeyboardInterrupt):
        project.deploy()

    assert "goes on in the background" in project.said[-1]
    wait_for(lambda: local.status("echo").status == "live")


def test_delete_ends_a_deploy_that_hangs(
    project: Project, local: LocalTarget, machine: Machine
) -> None:
    code = """
import time
class Echo:
    def __init__(self):
        time.sleep(600)
    def predict(self, payload):
        return payload
"""

    class Interrupting(list[str]):
        def append(self, line: str) -> None:
            super().append(line)
            if line == "starting replica":
                raise KeyboardInterrupt

    project.said = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        project.deploy_code(code)
    wait_for(lambda: bool(machine.replicas()))

    local.delete("echo")

    assert local.list() == []
    wait_for(lambda: not machine.replicas())
