from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import splitting
from integration.local.load import Load
from integration.local.machine import Machine, kill, wait_for
from splitting import Answer

from cortex_sdk import SyncAPI, TrafficSplitter
from cortex_sdk._target import Applied
from cortex_sdk.errors import DeployError, NotFoundError, UnsupportedError
from cortex_sdk.local.target import LocalTarget

CODE = """
class Echo:
    def __init__(self, config):
        self.name, self.count = config["name"], 0

    def predict(self, payload):
        if payload == "count":
            return self.count
        self.count += 1
        return self.name
"""
WEIGHTS = {"a": 80, "b": 20}

Deploy = Callable[..., Applied]


@pytest.fixture
def apis(local: LocalTarget, tmp_path: Path) -> list[Applied]:
    (tmp_path / "app.py").write_text(CODE)
    return [
        put(
            local,
            SyncAPI(
                "app:Echo", name=name, project=str(tmp_path), config={"name": name}
            ),
        )
        for name in ("a", "b", "c")
    ]


def put(local: LocalTarget, thing: Any) -> Applied:
    return local.apply(local.plan(thing), lambda _: None)


def split(local: LocalTarget, **fields: Any) -> Applied:
    return put(local, TrafficSplitter("all", **{"apis": WEIGHTS} | fields))


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30) as opened:
        yield opened


def sender(client: httpx.Client, url: str) -> splitting.Send:
    def send(headers: Mapping[str, str]) -> Answer:
        answer = client.post(url, json=1, headers=headers)
        client.cookies.clear()
        api = answer.headers.get("x-cortex-api", "")
        assert answer.text == api
        return Answer(answer.status_code, api, answer.headers.get("set-cookie", ""))

    return send


def test_requests_go_where_weights_rules_and_callers_say(
    local: LocalTarget, apis: list[Applied], client: httpx.Client
) -> None:
    rules = [{"header": "x-variant", "value": "b", "api": "b"}]
    endpoint = split(local, rules=rules, shadow={"c": 100}).endpoint
    send = sender(client, endpoint)

    splitting.check_weights(send, WEIGHTS)
    splitting.check_rule(send, "x-variant", "b", "b")
    copied = client.post(apis[2].endpoint, json="count").json()
    assert copied == 1000 + 100

    split(local, sticky={"header": "x-user"})
    splitting.check_header_decides(send, "x-user", WEIGHTS)
    splitting.check_weights(send, WEIGHTS, total=200)

    split(local, sticky={"cookie": "variant", "lifetime": "1h"})
    splitting.check_cookie_decides(send, WEIGHTS)


def test_a_share_of_the_requests_is_copied(
    local: LocalTarget, apis: list[Applied], client: httpx.Client
) -> None:
    send = sender(client, split(local, shadow={"c": 10}).endpoint)

    splitting.check_weights(send, WEIGHTS, total=600)

    copied = client.post(apis[2].endpoint, json="count").json()
    assert splitting.about(copied, 0.1, 600)


def test_a_large_body_is_copied_whole(
    local: LocalTarget, apis: list[Applied], client: httpx.Client
) -> None:
    endpoint = split(local, shadow={"c": 100}).endpoint
    body = b'"' + b"x" * (8 << 20) + b'"'

    answer = client.post(
        endpoint, content=body, headers={"content-type": "application/json"}
    )

    assert answer.status_code == 200
    wait_for(lambda: client.post(apis[2].endpoint, json="count").json() == 1)


def test_weights_change_under_load_without_a_lost_request(
    local: LocalTarget, apis: list[Applied], machine: Machine
) -> None:
    endpoint = split(local).endpoint
    replicas = machine.replicas()

    with Load(endpoint, connections=16, at_least=5_000) as load:
        for weight in (50, 0, 100, 30):
            assert split(local, apis={"a": weight, "b": 100 - weight}).changed
        kill(machine.agents())
        local.list()

    assert load.failures() == {}
    assert Counter(load.answers).keys() == {"200 a", "200 b"}
    assert machine.replicas() == replicas


def test_the_next_agent_and_the_next_boot_know_it(
    local: LocalTarget, apis: list[Applied], machine: Machine, client: httpx.Client
) -> None:
    endpoint = split(local, apis={"a": 0, "b": 100}).endpoint
    machine.crash()

    status = local.status("all")

    assert status.traffic is not None
    assert status.traffic.apis == {"a": 0, "b": 100}
    wait_for(lambda: local.status("all").status == "live")
    assert sender(client, endpoint)({}).api == "b"


def test_an_unchanged_splitter_is_up_to_date(
    local: LocalTarget, apis: list[Applied]
) -> None:
    first, again = split(local), split(local)

    assert (first.changed, again.changed) == (True, False)
    assert first.revision == again.revision


def test_what_is_in_use_or_not_there_is_refused(
    local: LocalTarget, apis: list[Applied], tmp_path: Path, client: httpx.Client
) -> None:
    endpoint = split(local, shadow={"c": 10}).endpoint

    for name in ("a", "c"):
        with pytest.raises(DeployError, match="from the traffic splitter 'all'"):
            local.delete(name)
    with pytest.raises(NotFoundError, match="leads to 'aa', which is no API on local"):
        split(local, apis={"aa": 100})
    with pytest.raises(DeployError, match="endpoint /a belongs to the API 'a'"):
        split(local, networking={"endpoint": "/a"})
    with pytest.raises(DeployError, match="belongs to the traffic splitter 'all'"):
        put(local, SyncAPI("app:Echo", name="all", project=str(tmp_path)))
    with pytest.raises(UnsupportedError, match="is a traffic splitter and has no log"):
        local.logs("all", follow=False, tail=None)
    assert sender(client, endpoint)({}).status == 200


def test_a_deleted_splitter_leaves_its_apis(
    local: LocalTarget, apis: list[Applied], client: httpx.Client
) -> None:
    endpoint = split(local).endpoint

    local.delete("all")

    assert client.post(endpoint, json=1).status_code == 404
    assert client.post(apis[0].endpoint, json=1).text == "a"
    local.delete("a")
    assert local.names() == ["b", "c"]
