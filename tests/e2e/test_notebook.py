"""The example notebook deploys to a cluster as it is, by CORTEX_TARGET alone."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs.machine import machine
from docs.notebook import Cell, Notebook
from e2e.cluster.cluster import Cluster
from e2e.target import table

EXAMPLE = Path(__file__).parents[2] / "examples" / "iris"
NOTEBOOK = EXAMPLE / "notebook.ipynb"
SECONDS = 300


@pytest.fixture
def cells(
    cluster: Cluster,
    pulumi_env: dict[str, str],
    platform_manifests: dict[str, Path],
    tmp_path: Path,
) -> Iterator[dict[str, Cell]]:
    """All cells of the notebook, run one after the other."""
    folder = tmp_path / "iris"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("*.joblib"))
    text = table(cluster, platform_manifests)
    with machine(pulumi_env | {"CORTEX_TARGET": "kubernetes"}) as made:
        made.home.mkdir(mode=0o700)
        made.home.joinpath("config.toml").write_text(text)
        ready = ["cortex", "cluster", "up"]
        subprocess.run(ready, env=made.environment, check=True, timeout=600)
        with Notebook(made, folder) as notebook:
            yield {
                cell["id"]: notebook.run("".join(cell["source"]), SECONDS)
                for cell in json.loads((EXAMPLE / "notebook.ipynb").read_text())[
                    "cells"
                ]
                if cell["cell_type"] == "code"
            }


@pytest.mark.timeout(1800)
def test_the_example_notebook_runs_on_a_cluster(
    cells: dict[str, Cell], cluster: Cluster
) -> None:
    failed = {name: cell.printed for name, cell in cells.items() if cell.raised}
    assert not failed
    assert "'setosa'" in cells["predict"].printed
    assert "#/0: Input should be a valid number" in cells["types"].printed
    assert "changed: False" in cells["again"].printed
    assert "changed: True" in cells["change"].printed
    assert "'virginica': 0." in cells["predict-again"].printed
    assert len(cells["logs"].printed.splitlines()) == 2
    assert (
        cluster.kubectl("get", "deploy,secret", "-l=app.kubernetes.io/name=iris") == ""
    )
