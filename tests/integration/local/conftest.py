from pathlib import Path

import pytest
from integration.local.machine import Machine
from integration.local.project import Project

from cortex_sdk.local.home import Home
from cortex_sdk.local.target import LocalTarget


@pytest.fixture
def project(local: LocalTarget, tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder, local)


@pytest.fixture
def machine(home: Home) -> Machine:
    return Machine(home)
