"""An engine of its own for each test, with the real CLI and a provider of naps."""

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from cortex_sdk.kubernetes.engine import Engine, EngineSettings

_NAP = Path(__file__).with_name("nap.py")


@pytest.fixture(scope="session")
def toolchain_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with the CLI and the provider."""
    ready = Path("/tmp/toolchain.ready")
    built = (
        dict(map(str.split, ready.read_text().splitlines())) if ready.exists() else {}
    )
    found = built.get("pulumi") or shutil.which("pulumi")
    if found is None:
        pytest.skip("there is no Pulumi CLI")
    tools = tmp_path_factory.mktemp("tools")
    plugin = tools / "pulumi-resource-nap"
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{_NAP}" "$@"\n')
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    return os.pathsep.join([str(tools), str(Path(found).parent), os.environ["PATH"]])


@pytest.fixture
def home(tmp_path: Path, toolchain_path: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", toolchain_path)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi-home"))
    return tmp_path / "home" / "pulumi"


@pytest.fixture
def engine(home: Path) -> Engine:
    return Engine(EngineSettings(home=home))
