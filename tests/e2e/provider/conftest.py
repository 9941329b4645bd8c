"""What tests of the stand-in share: a control plane, and a Pulumi of their own."""

import gc
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.provider import installing
from e2e.provider.control_plane import ControlPlane, running
from e2e.provider.stacks import Stack


def pytest_configure(config: pytest.Config) -> None:
    # Pulumi leaves event loops open, which is seen whenever they are collected.
    config.addinivalue_line("filterwarnings", "ignore:unclosed:ResourceWarning")


def pytest_unconfigure() -> None:
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


@pytest.fixture(scope="session")
def plane(
    toolchain: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    """A control plane without a node."""
    folder = tmp_path_factory.mktemp("plane")
    with running(folder, toolchain["kube"].parent) as started:
        yield started


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `PULUMI_HOME` that holds the stand-in."""
    home = tmp_path_factory.mktemp("pulumi")
    installing.install(home)
    return home


@pytest.fixture
def stack(
    plane: ControlPlane,
    toolchain: dict[str, Path],
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Stack:
    """An empty stack on the control plane."""
    pulumi = str(toolchain["pulumi"].parent)
    monkeypatch.setenv("PATH", os.pathsep.join([pulumi, os.environ["PATH"]]))
    folder = tmp_path / "stack"
    return Stack(home=home, folder=folder, kubeconfig=str(plane.kubeconfig))
