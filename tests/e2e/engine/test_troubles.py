"""What the real CLI says when something is wrong, in words of ours."""

import json
from pathlib import Path

import pulumi
import pytest
from e2e.engine.programs import naps

from cortex_sdk.errors import TargetError
from cortex_sdk.kubernetes.engine import Engine, EngineSettings

pytestmark = pytest.mark.timeout(600)


def quiet(_: str) -> None:
    pass


def nothing() -> None:
    pass


def test_a_broken_state_is_told_with_its_copy(engine: Engine, home: Path) -> None:
    engine.up("iris", nothing, quiet)
    state = home / "state" / ".pulumi" / "stacks" / "cortex" / "iris.json"
    state.write_text(state.read_text()[:100])

    with pytest.raises(TargetError) as caught:
        engine.up("iris", nothing, quiet)

    assert f"the state of iris in {state} cannot be read" in str(caught.value)
    assert f"its last copy is {state}.bak" in str(caught.value)


def test_a_lock_of_another_machine_is_told_and_left(engine: Engine, home: Path) -> None:
    engine.up("iris", nothing, quiet)
    locks = home / "state" / ".pulumi" / "locks" / "organization" / "cortex" / "iris"
    locks.mkdir(parents=True, exist_ok=True)
    lock = {"pid": 1, "username": "ann", "hostname": "elsewhere"}
    lock["timestamp"] = "2026-11-27T22:00:00Z"
    (locks / "one.json").write_text(json.dumps(lock))

    with pytest.raises(TargetError) as caught:
        engine.up("iris", nothing, quiet)

    assert "iris is being changed by ann on elsewhere since" in str(caught.value)
    assert (locks / "one.json").exists()


def test_a_backend_of_ones_own_is_used_and_asks_for_its_passphrase(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = f"file://{tmp_path}/shared state"
    (tmp_path / "shared state").mkdir()
    mine = Engine(EngineSettings(home=home, backend=backend))
    theirs = Engine(EngineSettings(home=tmp_path / "other", backend=backend))

    def program() -> None:
        naps(one={"path": tmp_path / "file"})()
        pulumi.export("key", pulumi.Output.secret("hunter2"))

    assert not mine.exists("iris")
    assert mine.up("iris", program, quiet).changed
    assert theirs.stacks() == ["iris"]
    with pytest.raises(TargetError, match="encrypted with another passphrase"):
        theirs.up("iris", program, quiet)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", (home / "passphrase").read_text())
    assert not theirs.up("iris", program, quiet).changed
    theirs.destroy("iris", quiet)
    assert mine.stacks() == []
