from typing import Any

from cortex_sdk.kubernetes.releases import served


def release(revision: str, day: int) -> dict[str, Any]:
    return {
        "name": f"iris-{revision}",
        "labels": {"cortex-sdk/revision": revision},
        "annotations": {"cortex-sdk/deployed-at": f"2026-01-{day:02}T00:00:00+00:00"},
    }


def test_what_serves_now_is_the_last() -> None:
    found = served([release("a", 1), release("b", 2)], "b")

    assert [each.revision for each in found] == ["a", "b"]
    assert found[-1].deployed_at.day == 2


def test_a_release_that_never_came_up_did_not_serve() -> None:
    found = served([release("a", 1), release("b", 2), release("broken", 3)], "b")

    assert [each.revision for each in found] == ["a", "b"]


def test_nothing_serves_before_the_first() -> None:
    assert served([], "a") == []
