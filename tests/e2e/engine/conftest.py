"""An engine of its own for each test, with the real CLI and a provider of naps."""

import os
import stat
import sys
from pathlib import Path

import pytest

from cortex_sdk.kubernetes.engine import Engine, EngineSettings

_NAP = Path(__file__).with_name("nap.py")


def pytest_configure(config: pytest.Config) -> None:
    # Pulumi leaves event loops open, which is seen whenever they are collected.
    config.addinivalue_line("filterwarnings", "ignore:unclosed:ResourceWarning")


@pytest.fixture(scope="session")
def path(toolchain: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with the CLI and the provider of naps."""
    tools = tmp_path_factory.mktemp("tools")
    plugin = tools / "pulumi-resource-nap"
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{_NAP}" "$@"\n')
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    cli = toolchain["pulumi"].parent
    return os.pathsep.join([str(tools), str(cli), os.environ["PATH"]])


@pytest.fixture
def home(tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", path)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "pulumi-home"))
    return tmp_path / "home" / "pulumi"


@pytest.fixture
def engine(home: Path) -> Engine:
    return Engine(EngineSettings(home=home))
