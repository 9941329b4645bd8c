from typing import Any

from platform_on_cluster import FakeEngine

from cortex_sdk.errors import TargetError
from cortex_sdk.kubernetes.undoing import undo


def program() -> None:
    """What ran before."""


def undone(engine: Any, before: Any) -> list[str]:
    said: list[str] = []
    undo(engine, "stack", before, "going back to revision 1", said.append)
    return said


def test_what_was_there_before_is_applied_again() -> None:
    engine = FakeEngine()

    said = undone(engine, program)

    assert engine.did == ["up"]
    assert said[0] == "going back to revision 1"


def test_where_nothing_was_nothing_stays() -> None:
    engine = FakeEngine(stacks={"stack"})

    said = undone(engine, None)

    assert (engine.did, engine.stacks) == (["destroy"], set())
    assert said[0] == "taking away what was made"


def test_going_back_may_fail_and_says_so() -> None:
    class Gone:
        def up(self, *_: Any) -> None:
            raise TargetError("the cluster is gone")

    assert undone(Gone(), program)[-1] == "going back failed too: the cluster is gone"
