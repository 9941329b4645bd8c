import json

import pytest
from fakes import FakeTarget, Run

from cortex_sdk.cli import console
from cortex_sdk.errors import TargetError


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What a person at a terminal answers, one question after the other."""
    given: list[bool] = []
    monkeypatch.setattr(console, "can_ask", lambda: True)
    monkeypatch.setattr(console, "ask", lambda _: given.pop(0))
    return given


def test_deletes_what_is_named_once(cortex: Run, target: FakeTarget) -> None:
    target.with_api("iris").with_api("digits")

    result = cortex("delete", "iris", "iris", "--yes")

    assert (result.code, result.out, result.err) == (0, "", "✓ iris is deleted\n")
    assert target.did == ["delete iris"]


def test_nothing_is_deleted_when_one_name_is_wrong(
    cortex: Run, target: FakeTarget
) -> None:
    target.with_api("iris")

    result = cortex("delete", "iris", "digits", "--yes")

    assert result.code == 1
    assert "there is no API 'digits'" in result.err
    assert target.did == []


def test_where_nobody_can_be_asked_yes_is_needed(
    cortex: Run, target: FakeTarget
) -> None:
    target.with_api("iris")

    result = cortex("delete", "iris")

    assert result.code == 2
    assert "deleting iris needs --yes where nobody can be asked" in result.err
    assert result.err.count("\n") == 1
    assert target.did == []


def test_a_no_deletes_nothing(
    cortex: Run, target: FakeTarget, answers: list[bool]
) -> None:
    target.with_api("iris")
    answers.append(False)

    result = cortex("delete", "iris")

    assert (result.code, result.err) == (1, "nothing was deleted\n")
    assert target.did == []


def test_a_yes_deletes(cortex: Run, target: FakeTarget, answers: list[bool]) -> None:
    target.with_api("iris")
    answers.append(True)

    assert cortex("delete", "iris").code == 0
    assert target.did == ["delete iris"]


@pytest.mark.parametrize("arguments", [[], ["iris", "--all"]])
def test_names_or_all_and_not_both(
    cortex: Run, target: FakeTarget, arguments: list[str]
) -> None:
    result = cortex("delete", *arguments, "--yes")

    assert result.code == 2
    assert "Name the APIs to delete, or give --all" in result.err


def test_all_goes_on_after_a_failure_and_reports_each(
    cortex: Run, target: FakeTarget
) -> None:
    target.with_api("iris").with_api("digits")
    target.failing["iris"] = TargetError("the agent is gone")

    result = cortex("delete", "--all", "--yes", "-o", "json")

    assert result.code == 1
    assert json.loads(result.out) == [
        {"name": "iris", "error": "the agent is gone"},
        {"name": "digits", "error": None},
    ]
    assert result.err == "iris: the agent is gone\n✓ digits is deleted\n"


def test_all_of_none_is_done_without_asking(cortex: Run, target: FakeTarget) -> None:
    result = cortex("delete", "--all")

    assert (result.code, result.err) == (0, "there is nothing to delete\n")


def test_stop_stops_the_target(cortex: Run, target: FakeTarget) -> None:
    result = cortex("stop", "-o", "json")

    assert target.did == ["stop"]
    assert json.loads(result.out) == {"target": "local", "stopped": True}
    assert result.err == "✓ local is stopped\n"
