"""The guides to clusters do what they say, on a real one."""

import os
import subprocess
from pathlib import Path

import pytest
from docs.machine import machine
from docs.page import read_page
from docs.session import Session
from e2e.cluster.cluster import Cluster
from e2e.target import table

ROOT = Path(__file__).parents[2]
READY = ["cortex", "cluster", "up", "--target", "kubernetes"]
GUIDES = ("kubernetes", "autoscaling", "day-two", "kubernetes-cli")


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("guide", GUIDES)
def test_the_blocks_of_a_guide_do_what_it_says(
    guide: str,
    cluster: Cluster,
    pulumi_env: dict[str, str],
    platform_manifests: dict[str, Path],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "page"
    folder.mkdir()
    path = os.pathsep.join([str(cluster.kube), pulumi_env["PATH"]])
    with (
        machine(pulumi_env | {"PATH": path}) as made,
        Session(made, folder) as session,
    ):
        text = table(cluster, platform_manifests)
        made.home.mkdir(mode=0o700)
        made.home.joinpath("config.toml").write_text(text)
        subprocess.run(READY, env=made.environment, check=True, timeout=600)

        session.run(read_page(ROOT / "docs" / "guides" / f"{guide}.md", ROOT))
