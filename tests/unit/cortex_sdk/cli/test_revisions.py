import json

from fakes import FakeTarget, Run, served


def test_history_has_the_newest_first(cortex: Run, target: FakeTarget) -> None:
    target.with_api("iris").served = [served("aaa", 1), served("bbb", 2)]

    head, *rows = cortex("history", "iris").out.splitlines()

    assert head.split() == ["REVISION", "DEPLOYED"]
    assert [row.split()[0] for row in rows] == ["bbb", "aaa"]
    assert [row.endswith("serves") for row in rows] == [True, False]


def test_history_as_json_has_full_times(cortex: Run, target: FakeTarget) -> None:
    target.with_api("iris").served = [served("aaa", 1)]

    result = cortex("history", "iris", "-o", "json")

    assert json.loads(result.out) == [
        {"revision": "aaa", "deployed_at": "2026-01-01T12:00:00+00:00"}
    ]


def test_rollback_goes_to_the_one_before_or_to_the_one_named(
    cortex: Run, target: FakeTarget
) -> None:
    target.with_api("iris")

    assert cortex("rollback", "iris").code == 0
    result = cortex("rollback", "iris", "--to", "4f2a", "-o", "json")

    assert target.did == ["rollback to=None iris", "rollback to=4f2a iris"]
    assert json.loads(result.out)["revision"] == "4f2a"
