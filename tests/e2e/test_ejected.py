"""A project of `cortex eject` under Pulumi's own CLI."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from e2e import manifests
from e2e.cluster.cluster import Cluster
from unit.cortex_sdk.kubernetes.planned import SECRET

from cortex_sdk.kubernetes.ejection import project
from cortex_stacks import args
from cortex_stacks.api.manifests import resources
from cortex_stacks.standalone import commands

BIN = Path(sys.executable).parent  # the Python that is first on PATH runs programs
API = replace(SECRET, namespace="default")
DEFINITION = "CustomResourceDefinition"
BESIDE = ("the stack", "the provider", "the component")


@pytest.fixture(scope="module")
def definitions(cluster: Cluster, toolchain: dict[str, Path]) -> None:
    """The kinds of object that APIs consist of, without who looks after them."""
    rendered = manifests.ensure()
    for name in (manifests.GATEWAY_API, manifests.KEDA):
        objects = yaml.safe_load_all(rendered[name].read_text())
        kinds = [each for each in objects if each and each["kind"] == DEFINITION]
        text = yaml.safe_dump_all(kinds)
        cluster.kubectl("apply", "--server-side", "-f", "-", stdin=text)


class Project:
    """A folder, and Pulumi's CLI in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *command: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-c", " ".join(command)],
            cwd=self.folder,
            env=os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def preview(self, *options: str) -> "subprocess.CompletedProcess[str]":
        return self.run("pulumi preview --non-interactive --color never", *options)


@pytest.fixture
def ejected(
    cluster: Cluster, pulumi_env: dict[str, str], definitions: None, tmp_path: Path
) -> Project:
    """What `cortex eject` writes, with a stack but without its secrets."""
    folder = tmp_path / "iris"
    folder.mkdir()
    where = args.Cluster(kubeconfig=str(cluster.kubeconfig))
    for name, content in project(API, where, {}).items():
        (folder / name).write_bytes(content)
    made = Project(folder)
    assert made.run(f"pulumi stack init {API.stack}").returncode == 0
    return made


def set_secrets(ejected: Project) -> None:
    """Do what its README says."""
    (ejected.folder / ".api-keys").write_text("hunter4-hunter4-hunter4\n")
    values = ("hunter2", "", "https://me:hunter5@index.example")
    for command, value in zip(commands(API), values, strict=True):
        done = ejected.run(command, stdin=value)
        assert done.returncode == 0, done.stderr


def test_what_is_missing_is_said_with_the_command_for_it(ejected: Project) -> None:
    done = ejected.preview()

    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "the secret API_TOKEN is not set: pulumi config set --secret" in said
    assert "Traceback" not in said


def test_the_project_makes_what_a_deploy_makes(ejected: Project) -> None:
    set_secrets(ejected)

    done = ejected.preview("--json")

    assert done.returncode == 0, done.stdout + done.stderr
    summary = yaml.safe_load(done.stdout)["changeSummary"]
    assert summary == {"create": len(resources(API)) + len(BESIDE)}
    assert "hunter" not in done.stdout + done.stderr
    written = [path.read_text() for path in ejected.folder.glob("Pulumi.*")]
    assert "hunter" not in "".join(written)
