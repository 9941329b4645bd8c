"""A home of its own for each test, and an end of everything that ran in it."""

import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from integration import clients

from cortex_sdk.local.gateway.port import PORT_VARIABLE
from cortex_sdk.local.home import HOME_VARIABLE, Home
from cortex_sdk.local.target import LocalTarget


def processes_of(home: Path) -> list[psutil.Process]:
    """Everything that carries this home in its environment."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            is_ours = process.environ().get(HOME_VARIABLE) == str(home)
            if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def end_all(home: Path) -> None:
    """Kill until nothing is left: an agent may just have started something."""
    while left := processes_of(home):
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    # Not tmp_path: sockets need a short path.
    root = Path(tempfile.mkdtemp(prefix="cortex-"))
    monkeypatch.setenv(HOME_VARIABLE, str(root))
    monkeypatch.setenv(PORT_VARIABLE, str(free_port()))
    try:
        yield Home(root)
    finally:
        end_all(root)
        shutil.rmtree(Home(root).run, ignore_errors=True)
        shutil.rmtree(root)


@pytest.fixture
def local(home: Home) -> LocalTarget:
    return LocalTarget()


@pytest.fixture(scope="session")
def client_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clients.build(tmp_path_factory.mktemp("clients") / "env")
