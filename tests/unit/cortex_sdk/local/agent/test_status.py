import pytest

from cortex_sdk._target import Replicas
from cortex_sdk.local.agent.state import ApiState, Reach, Release
from cortex_sdk.local.agent.status import View, status_of, status_of_split
from cortex_sdk.local.gateway.split import Split

REACH = Reach(endpoint="/iris")
RELEASE = Release(revision="a", python="python", bundle="d1")
NEW = ApiState(name="iris", reach=REACH)
LIVE = NEW.came_through(RELEASE, REACH)
UPDATE = RELEASE.model_copy(update={"revision": "b"})
FAILED_UPDATE = LIVE.began(UPDATE, REACH).failed("no such model")


@pytest.mark.parametrize(
    ("state", "view", "status", "reason"),
    [
        (LIVE, View(is_ready=True), "live", ""),
        (LIVE, View(), "updating", "the replica is starting"),
        (LIVE, View(trouble="it crashed"), "error", "it crashed"),
        (LIVE, View(is_ready=True, trouble="port taken"), "error", "port taken"),
        (
            LIVE.began(UPDATE, REACH),
            View(is_ready=True),
            "updating",
            "revision b is starting",
        ),
        (NEW.began(RELEASE, REACH), View(), "updating", "revision a is starting"),
        (
            FAILED_UPDATE,
            View(is_ready=True),
            "live",
            "update to b failed: no such model",
        ),
        (
            NEW.began(RELEASE, REACH).failed("no such model"),
            View(),
            "error",
            "no such model",
        ),
        (LIVE, View(is_stopped=True), "stopped", ""),
        (
            LIVE.model_copy(update={"deleting": True}),
            View(is_ready=True),
            "updating",
            "is being deleted",
        ),
    ],
)
def test_says_how_an_api_is_doing(
    state: ApiState, view: View, status: str, reason: str
) -> None:
    found = status_of(state, view, "http://127.0.0.1:8077/iris")

    assert (found.status, found.reason) == (status, reason)


@pytest.mark.parametrize(
    ("state", "view", "revision", "replicas"),
    [
        (LIVE, View(is_ready=True), "a", Replicas(desired=1, live=1)),
        (LIVE, View(), "a", Replicas(desired=1, live=0)),
        (NEW.began(RELEASE, REACH), View(), "", Replicas(desired=1, live=0)),
        (NEW, View(), "", Replicas(desired=0, live=0)),
    ],
)
def test_counts_what_there_is_and_should_be(
    state: ApiState, view: View, revision: str, replicas: Replicas
) -> None:
    found = status_of(state, view, "http://127.0.0.1:8077/iris")

    assert (found.revision, found.replicas) == (revision, replicas)


@pytest.mark.parametrize(
    ("views", "status", "reason"),
    [
        ([View(is_ready=True), View(is_ready=True)], "live", ""),
        (
            [View(is_ready=True), View()],
            "updating",
            "b is updating: the replica is starting",
        ),
        ([View(), View(trouble="it crashed")], "error", "b is error: it crashed"),
        ([View(is_ready=True)], "error", "there is no API 'b'"),
    ],
)
def test_a_splitter_is_as_well_as_its_apis(
    views: list[View], status: str, reason: str
) -> None:
    named = zip("ab", views, strict=False)
    apis = {name: status_of(LIVE, view, f"http://h/{name}") for name, view in named}
    split = Split(name="all", endpoint="/all", apis={"a": 50, "b": 50})

    found = status_of_split(split, apis, "http://h/all", is_stopped=False)

    assert (found.status, found.reason) == (status, reason)
