from pathlib import Path

import pytest

from cortex_sdk.errors import NotFoundError, TargetError
from cortex_sdk.local import offline
from cortex_sdk.local.agent.state import ApiState, Reach, Release
from cortex_sdk.local.gateway.split import Split
from cortex_sdk.local.gateway.state import GatewayState
from cortex_sdk.local.home import Home

REACH = Reach(endpoint="/flowers")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def remember(home: Home, name: str) -> None:
    release = Release(revision="abc", python="python", bundle="d1")
    state = ApiState(name=name, reach=REACH).came_through(release, REACH)
    state.write(home.api(name).state)


def test_an_api_that_is_stopped_is_told_from_disk(home: Home) -> None:
    remember(home, "iris")
    GatewayState(port=9000).write(home)

    assert offline.status(home, "iris").as_dict() == {
        "name": "iris",
        "target": "local",
        "endpoint": "http://127.0.0.1:9000/flowers",
        "status": "stopped",
        "reason": "",
        "revision": "abc",
        "replicas": {"desired": 1, "live": 0},
        "traffic": None,
    }


def test_a_splitter_that_is_stopped_is_told_from_disk(home: Home) -> None:
    remember(home, "iris-a")
    split = Split(name="iris", endpoint="/iris", apis={"iris-a": 100})
    split.write(home.splitter("iris"))

    found = offline.status(home, "iris")

    assert found.status == "stopped"
    assert found.traffic == split.traffic
    assert offline.names(home) == ["iris", "iris-a"]


def test_all_come_by_name(home: Home) -> None:
    for name in ("b", "a"):
        remember(home, name)

    assert [status.name for status in offline.statuses(home)] == ["a", "b"]


def test_a_home_that_is_not_there_has_none(home: Home) -> None:
    assert offline.statuses(Home(home.root / "none")) == []


@pytest.mark.parametrize("name", ["iris", "", "..", "a/b"])
def test_what_is_not_there_is_not_found(name: str, home: Home) -> None:
    remember(home, "a")

    with pytest.raises(NotFoundError, match="there is no API"):
        offline.folder(home, name)


def test_a_damaged_state_is_one_sentence(home: Home) -> None:
    remember(home, "iris")
    home.api("iris").state.write_text("{")

    with pytest.raises(TargetError, match="is damaged"):
        offline.status(home, "iris")
