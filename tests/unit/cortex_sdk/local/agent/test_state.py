from pathlib import Path

import pytest
from msgspec.structs import replace
from pydantic import ValidationError

from cortex_sdk.local.agent.state import (
    HISTORY,
    ApiState,
    Reach,
    Release,
    ReplicaRecord,
    release_of,
)
from cortex_server.manifest import Manifest, PredictorModule, PredictorPickle

REACH = Reach(endpoint="/iris")
NEW = ApiState(name="iris", reach=REACH)


def release(revision: str) -> Release:
    return Release(revision=revision, python="python", bundle="d1")


def of(manifest: Manifest, **has: bool) -> Release:
    has = {"has_secrets": False, "has_keys": False, **has}
    return release_of(manifest, "python", **has)


def serving(*revisions: str) -> ApiState:
    state = NEW
    for revision in revisions:
        state = state.began(release(revision), REACH).came_through(
            release(revision), REACH
        )
    return state


def test_what_was_written_is_read(tmp_path: Path) -> None:
    state = serving("a", "b").with_replica(
        ReplicaRecord(id="b-1", revision="b", pid=7, started=1.25)
    )

    state.write(tmp_path / "api.json")

    assert ApiState.read(tmp_path / "api.json") == state


def test_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "api.json").write_text(
        NEW.model_dump_json().replace('"format":1', '"format":2')
    )

    with pytest.raises(ValidationError):
        ApiState.read(tmp_path / "api.json")


def test_a_deploy_under_way_changes_nothing_that_serves() -> None:
    before = serving("a")

    state = before.began(release("b"), Reach(endpoint="/other"))

    assert state.current == before.current
    assert state.reach == REACH
    assert state.candidate == release("b")


def test_the_first_deploy_claims_its_endpoint_at_once() -> None:
    state = NEW.began(release("a"), Reach(endpoint="/other"))

    assert state.reach.endpoint == "/other"


def test_a_deploy_that_came_through_serves_where_it_was_asked_to() -> None:
    state = serving("a").came_through(release("b"), Reach(endpoint="/other"))

    assert state.current is not None
    assert state.current.revision == "b"
    assert state.current.deployed_at > 0
    assert (state.candidate, state.reach.endpoint) == (None, "/other")


def test_a_failed_update_names_its_revision_and_keeps_what_serves() -> None:
    before = serving("a")

    state = before.began(release("b"), REACH).failed("no such model")

    assert state.failure == "update to b failed: no such model"
    assert (state.current, state.candidate) == (before.current, None)


def test_a_failed_first_deploy_gives_the_bare_reason() -> None:
    state = NEW.began(release("a"), REACH).failed("no such model")

    assert state.failure == "no such model"
    assert state.current is None


def test_success_clears_the_failure() -> None:
    failed = serving("a").began(release("b"), REACH).failed("no such model")

    assert failed.came_through(release("b"), REACH).failure == ""
    assert failed.reached_by(REACH).failure == ""


def test_the_history_has_what_served_oldest_first() -> None:
    state = serving("a", "b", "a")

    assert [one.revision for one in state.history] == ["a", "b", "a"]


def test_the_history_has_a_restarted_revision_once() -> None:
    state = serving("a", "b", "b")

    assert [one.revision for one in state.history] == ["a", "b"]


def test_the_history_has_an_end() -> None:
    state = serving(*(f"r{number}" for number in range(HISTORY + 5)))

    assert len(state.history) == HISTORY
    assert state.history[-1] == state.current


@pytest.mark.parametrize(
    ("served", "wanted", "found"),
    [
        (("a", "b"), None, "a"),
        (("a", "b", "a"), None, "b"),
        (("a", "b", "c"), "a", "a"),
        (("abc", "def"), "ab", "abc"),
        (("a",), None, None),
        (("a", "b"), "b", None),
        (("a", "b"), "x", None),
    ],
)
def test_a_rollback_finds_what_served_before(
    served: tuple[str, ...], wanted: str | None, found: str | None
) -> None:
    release = serving(*served).to_roll_back_to(wanted)

    assert (release and release.revision) == found


def test_a_replica_is_remembered_until_it_is_gone() -> None:
    record = ReplicaRecord(id="a-1", revision="a", pid=7, started=1.25)
    state = NEW.with_replica(record)

    assert state.replicas == (record,)
    assert state.without_replica("a-1").replicas == ()


def test_a_replaced_replica_of_the_same_revision_does_not_serve() -> None:
    old, new = (
        ReplicaRecord(id=f"a-{number}", revision="a", pid=number, started=1.25)
        for number in (1, 2)
    )
    other = ReplicaRecord(id="b-1", revision="b", pid=3, started=1.25)
    state = serving("a")
    for record in (old, new, other):
        state = state.with_replica(record)

    assert state.serving() == [new, old]
    assert state.with_retiring("a-1").serving() == [new]


def test_without_a_release_nothing_serves() -> None:
    record = ReplicaRecord(id="a-1", revision="a", pid=7, started=1.25)

    assert NEW.with_replica(record).serving() == []


def test_the_revisions_of_running_replicas_are_still_needed() -> None:
    record = ReplicaRecord(id="z-1", revision="z", pid=7, started=1.25)
    state = serving("a", "b").with_replica(record).began(release("c"), REACH)

    assert state.revisions() == {"a", "b", "c", "z"}


def test_a_release_knows_the_class_that_came_by_value() -> None:
    by_name = Manifest(
        name="iris", bundle="d1", predictor=PredictorModule(module="app", qualname="A")
    )
    by_value = replace(by_name, predictor=PredictorPickle(identity="c1", qualname="A"))

    assert of(by_name).identity is None
    assert of(by_value, has_secrets=True) == Release(
        revision=by_value.revision,
        python="python",
        bundle="d1",
        identity="c1",
        has_secrets=True,
    )


@pytest.mark.parametrize("has_keys", [True, False])
def test_a_rollback_lets_in_who_may_call_now(*, has_keys: bool) -> None:
    def guarded(revision: str, *, has_keys: bool) -> Release:
        return release(revision).model_copy(update={"has_keys": has_keys})

    state = NEW.came_through(guarded("a", has_keys=not has_keys), REACH)
    state = state.came_through(guarded("b", has_keys=has_keys), REACH)

    assert state.to_roll_back_to("a") == guarded("a", has_keys=has_keys).model_copy(
        update={"deployed_at": state.history[0].deployed_at}
    )


def test_keys_are_needed_until_the_last_replica_that_has_them_is_gone() -> None:
    guarded = release("a").model_copy(update={"has_keys": True})
    old = ReplicaRecord(id="a-1", revision="a", pid=7, started=0)
    state = NEW.came_through(guarded, REACH).with_replica(old)
    assert state.needs_keys()

    state = state.came_through(release("a"), REACH).with_retiring("a-1")
    assert state.needs_keys()

    assert not state.without_replica("a-1").needs_keys()
