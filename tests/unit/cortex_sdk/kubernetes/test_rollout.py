from typing import Any

import pytest

from cortex_sdk import Kubernetes
from cortex_sdk.errors import TargetError
from cortex_sdk.kubernetes import rollout as module
from cortex_sdk.kubernetes.pods import Trouble
from cortex_sdk.kubernetes.rollout import Rollout

FINAL = Trouble("ValueError: no", "frames")
PASSING = Trouble("no node takes a replica: full", is_final=False)


class FakeOpened:
    """A target without a cluster."""

    target = Kubernetes(scheduling_timeout=100)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    labels = {"cortex-sdk/revision": "new"}
    deployment = {"spec": {"template": {"metadata": {"labels": labels}}}}
    monkeypatch.setattr(module, "deployment", lambda *_: deployment)
    monkeypatch.setattr(module, "pods_of", lambda *_: [])
    monkeypatch.setattr(module, "step_of", lambda _: "loading the predictor")
    return Clock()


def rollout(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, trouble: Trouble | None, **more: Any
) -> Rollout:
    monkeypatch.setattr(module, "trouble_of", lambda _: trouble)
    opened: Any = FakeOpened()
    say = more.get("say", lambda _: None)
    return Rollout(opened, "iris", more.get("revision", "new"), say, clock)


def test_it_goes_on_while_there_is_no_trouble_and_says_what_pods_do(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    said: list[str] = []

    assert rollout(monkeypatch, clock, None, say=said.append)() is None
    assert said == ["loading the predictor (0 of 0 ready)"]


def test_it_gives_up_at_once_when_waiting_is_of_no_use(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    watcher = rollout(monkeypatch, clock, FINAL)

    assert watcher() == "ValueError: no"
    assert watcher.trouble == FINAL


def test_a_node_may_take_as_long_as_the_target_allows(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    watcher = rollout(monkeypatch, clock, PASSING)

    assert watcher() is None
    clock.now = 99
    assert watcher() is None
    clock.now = 101
    assert watcher() == PASSING.reason


def test_trouble_that_went_by_itself_is_forgotten(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    watcher = rollout(monkeypatch, clock, PASSING)
    watcher()
    clock.now = 99
    monkeypatch.setattr(module, "trouble_of", lambda _: None)
    watcher()
    monkeypatch.setattr(module, "trouble_of", lambda _: PASSING)
    clock.now = 150

    assert watcher() is None


def test_trouble_of_the_revision_before_is_none_of_its_business(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    assert rollout(monkeypatch, clock, FINAL, revision="newer")() is None


def test_a_look_that_fails_is_no_reason_to_give_up(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    def fail(*_: object) -> None:
        raise TargetError("away")

    watcher = rollout(monkeypatch, clock, FINAL)
    monkeypatch.setattr(module, "pods_of", fail)

    assert watcher() is None
