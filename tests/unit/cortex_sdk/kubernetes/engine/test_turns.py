from pathlib import Path

import pytest

from cortex_sdk.kubernetes.engine import turns
from cortex_sdk.kubernetes.engine.turns import turn


def quiet(_: str) -> None:
    pass


def test_a_turn_leaves_nothing_behind(tmp_path: Path) -> None:
    with turn(tmp_path / "iris", quiet):
        assert (tmp_path / "iris").exists()

    assert not (tmp_path / "iris").exists()


def test_the_second_one_waits_and_says_for_whom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    first = turn(tmp_path / "iris", quiet)
    first.__enter__()
    monkeypatch.setattr(turns.time, "sleep", lambda _: first.__exit__(None, None, None))

    with turn(tmp_path / "iris", said.append):
        pass

    assert len(said) == 1
    assert said[0].startswith("waiting for another change to finish (process ")


def test_a_file_of_a_process_that_is_gone_holds_up_nobody(tmp_path: Path) -> None:
    (tmp_path / "iris").write_text("1")

    with turn(tmp_path / "iris", pytest.fail):
        pass


def test_stacks_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with turn(tmp_path / "iris", quiet), turn(tmp_path / "digits", pytest.fail):
        pass
