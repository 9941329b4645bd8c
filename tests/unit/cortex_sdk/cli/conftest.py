from pathlib import Path
from typing import Any

import pytest
from fakes import FakeTarget, Result, Run, as_target

from cortex_sdk import _targets, cli


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeTarget:
    """The target that the command line finds under the name "local"."""
    fake = FakeTarget(name="local")
    monkeypatch.delenv("CORTEX_TARGET", raising=False)
    monkeypatch.setenv("CORTEX_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(_targets, "_local", lambda: as_target(fake))
    return fake


@pytest.fixture
def cortex(capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs one command line in this process."""

    def run(*arguments: Any) -> Result:
        capfd.readouterr()
        code = cli.run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    return run
