from integration.local.load import Load
from integration.local.machine import Machine, kill
from integration.local.project import Project

from cortex_sdk.local.target import LocalTarget


def test_no_request_fails_while_deployed_five_times_and_the_agent_is_killed(
    project: Project, local: LocalTarget, machine: Machine
) -> None:
    endpoint = project.deploy("return 0").endpoint

    with Load(endpoint, connections=32, at_least=20_000) as load:
        for version in range(1, 6):
            project.deploy(f"return {version}")
        kill(machine.agents())
        (status,) = local.list()

    assert load.failures() == {}
    assert load.sent >= 20_000
    assert {f"200 {version}" for version in range(6)} == set(load.answers)
    assert (status.status, status.replicas.live) == ("live", 1)
