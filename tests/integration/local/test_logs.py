import json
from collections.abc import Iterator
from threading import Thread

import httpx
import pytest
from integration.local.machine import wait_for
from integration.local.project import Project

from cortex_sdk import NotFoundError
from cortex_sdk._target import LogLine
from cortex_sdk.local.target import LocalTarget


def events(lines: Iterator[LogLine]) -> list[str]:
    return [json.loads(line.text)["event"] for line in lines]


def test_what_a_predictor_prints_is_in_the_log(
    project: Project, local: LocalTarget
) -> None:
    endpoint = project.deploy("print('got', payload)").endpoint
    httpx.post(endpoint, json=7)

    wait_for(lambda: "got 7" in events(local.logs("echo", follow=False, tail=None)))


def test_a_follower_sees_each_replica_to_its_end_and_ends_with_the_api(
    project: Project, local: LocalTarget
) -> None:
    endpoint = project.deploy("print('first', payload)").endpoint
    found: list[LogLine] = []
    follower = Thread(
        target=lambda: found.extend(local.logs("echo", follow=True, tail=None))
    )
    follower.start()

    for number in range(3):
        httpx.post(endpoint, json=number)
    project.deploy("print('second', payload)")
    for number in range(3):
        httpx.post(endpoint, json=number)
    local.delete("echo")
    follower.join(timeout=30)

    assert not follower.is_alive()
    printed = [
        one for one in events(iter(found)) if one.split()[0] in {"first", "second"}
    ]
    assert printed == [f"{word} {n}" for word in ("first", "second") for n in range(3)]
    assert len({line.replica for line in found}) == 2


def test_logs_can_be_read_while_all_is_stopped(
    project: Project, local: LocalTarget
) -> None:
    endpoint = project.deploy("print('got', payload)").endpoint
    httpx.post(endpoint, json=7)
    local.stop()

    assert "got 7" in events(local.logs("echo", follow=False, tail=None))


def test_logs_of_an_unknown_api_are_not_found(local: LocalTarget) -> None:
    with pytest.raises(NotFoundError, match="there is no API 'iris'"):
        local.logs("iris", follow=False, tail=None)
