"""The example notebook, run by a real Jupyter server on its default port."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyter_kernel_client import JupyterKernelClient

from cortex_sdk.local.home import Home

EXAMPLE = Path(__file__).parents[2] / "examples" / "iris"
PORT = 8888
START_SECONDS, CELL_SECONDS = 60, 120


@dataclass(frozen=True)
class Cell:
    """What the notebook shows under a cell."""

    outputs: list[dict[str, Any]]

    @property
    def printed(self) -> str:
        return "".join(o["text"] for o in self.outputs if o["output_type"] == "stream")

    def last(self, kind: str = "text/plain") -> str:
        *_, shown = [o["data"] for o in self.outputs if "data" in o]
        return str(shown[kind])

    @property
    def errors(self) -> list[str]:
        kind = "error"
        return [str(o["evalue"]) for o in self.outputs if o["output_type"] == kind]


@pytest.fixture
def jupyter(home: Home, tmp_path: Path) -> Iterator[JupyterKernelClient]:
    """A kernel on a server that was started in a copy of the example."""
    assert not _is_taken(PORT), f"port {PORT} is taken; end the Jupyter that has it"
    folder = tmp_path / "iris"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.joblib"))
    token = secrets.token_hex()
    with (tmp_path / "jupyter.log").open("w") as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyter_server", "--no-browser"),
                *("--allow-root", "--ServerApp.port_retries=0"),
                *(
                    f"--ServerApp.root_dir={folder}",
                    f"--IdentityProvider.token={token}",
                ),
            ],
            stdout=log,
            stderr=log,
            cwd=folder,
            env=_environment(tmp_path),
        )
    address = f"http://127.0.0.1:{PORT}"
    kernel = JupyterKernelClient(server_url=address, token=token)
    try:
        _wait_for(address, token, server, tmp_path / "jupyter.log")
        kernel.start()
        yield kernel
    finally:
        # First, since the client waits for it to hang up; it ends its kernels.
        server.terminate()
        server.wait(START_SECONDS)
        kernel.stop(shutdown_kernel=False)


@pytest.mark.timeout(600)
def test_the_example_notebook_runs_from_start_to_end(
    jupyter: JupyterKernelClient, home: Home
) -> None:
    cells = {cell["id"]: _run(jupyter, cell["source"]) for cell in _code_cells()}

    failed = {name: cell.errors for name, cell in cells.items() if cell.errors}
    assert not failed
    assert "http://127.0.0.1:" in cells["predictor"].last("text/html")
    assert cells["predict"].last() == "'setosa'"
    assert "#/0: Input should be a valid number" in cells["types"].printed
    assert cells["again"].last().startswith("iris: is up to date at")
    assert cells["again"].printed == "changed: False\n"
    assert cells["change"].last().startswith("iris: is live at")
    assert cells["change"].printed == "changed: True\n"
    assert "'virginica': 0." in cells["predict-again"].last()
    assert len(cells["logs"].printed.splitlines()) == 2
    assert "live" in cells["status"].last("text/html")
    assert not list(home.apis.glob("*/api.json"))


def test_the_example_notebook_is_kept_without_outputs() -> None:
    assert all(cell["outputs"] == [] for cell in _code_cells())
    assert all(cell["execution_count"] is None for cell in _code_cells())


def _code_cells() -> list[dict[str, Any]]:
    notebook = json.loads((EXAMPLE / "notebook.ipynb").read_text())
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [{**cell, "source": "".join(cell["source"])} for cell in cells]


def _run(kernel: JupyterKernelClient, source: str) -> Cell:
    return Cell(kernel.execute(source, timeout=CELL_SECONDS)["outputs"])


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _environment(folder: Path) -> dict[str, str]:
    """Without the settings and the kernels of whoever runs the tests."""
    kinds = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    return dict(os.environ) | {kind: str(folder / kind.lower()) for kind in kinds}


def _wait_for(
    address: str, token: str, server: "subprocess.Popen[bytes]", log: Path
) -> None:
    deadline = time.monotonic() + START_SECONDS
    headers = {"authorization": f"token {token}"}
    while time.monotonic() < deadline and server.poll() is None:
        try:
            httpx.get(f"{address}/api/status", headers=headers).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the Jupyter server did not start:\n{log.read_text()}")
