"""`pulumi preview` from the repository root shows what `api.preview` does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from e2e.cluster.cluster import Cluster
from e2e.target import table

from cortex_sdk._targets import target_of
from cortex_sdk.kubernetes.outside import planned, state_variables
from cortex_sdk.kubernetes.target import Kubernetes
from cortex_sdk.project.loading import load

ROOT = Path(__file__).parents[2]
APP = "examples/iris/app.py"


@pytest.fixture
def variables(
    cluster: Cluster,
    pulumi_env: dict[str, str],
    platform_manifests: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """A ready cluster as the target `kubernetes`, and a home of its own."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text(table(cluster, platform_manifests))
    monkeypatch.setenv("CORTEX_HOME", str(home))
    for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE"):
        monkeypatch.delenv(name)
    ready = ["cortex", "cluster", "up", "--target", "kubernetes"]
    subprocess.run(ready, check=True, timeout=600)
    target = target_of("kubernetes")
    assert isinstance(target, Kubernetes)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return dict(os.environ) | state_variables(target) | {"PATH": path}


def pulumi(
    variables: dict[str, str], *arguments: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["pulumi", *arguments, "--non-interactive"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.timeout(1200)
def test_the_cli_shows_the_plan_of_a_preview(variables: dict[str, str]) -> None:
    [api] = load(str(ROOT / APP))
    stack = planned(api, "kubernetes")[1].args.stack
    expected = api.preview("kubernetes").resources
    try:
        for command in (
            ("stack", "select", "--create", stack),
            ("config", "set", "app", APP),
            ("config", "set", "target", "kubernetes"),
        ):
            assert pulumi(variables, *command).returncode == 0

        done = pulumi(variables, "preview", "--json")

        assert done.returncode == 0, done.stdout + done.stderr
        steps = json.loads(done.stdout)["steps"]
        shown = {(step["op"], step["newState"]["type"]) for step in steps}
        wanted = {(one.operation, f"kubernetes:{_token(one.kind)}") for one in expected}
        assert wanted <= shown
        assert len([1 for _, kind in shown if kind.startswith("kubernetes:")]) == len(
            wanted
        )
    finally:
        pulumi(variables, "stack", "rm", "--yes", "--force", stack)


@pytest.mark.timeout(1200)
def test_a_stack_of_another_name_is_refused_with_the_commands(
    variables: dict[str, str],
) -> None:
    [api] = load(str(ROOT / APP))
    stack = planned(api, "kubernetes")[1].args.stack
    try:
        pulumi(variables, "stack", "select", "--create", "mine")
        pulumi(variables, "config", "set", "app", APP)
        pulumi(variables, "config", "set", "target", "kubernetes")

        done = pulumi(variables, "preview")

        assert done.returncode != 0
        said = done.stdout + done.stderr
        assert f"pulumi stack select --create {stack}" in said
        assert "export PULUMI_BACKEND_URL=" in said
        assert "Traceback" not in said
    finally:
        pulumi(variables, "stack", "rm", "--yes", "--force", "mine")


def _token(kind: str) -> str:
    """Pulumi's name of "apps/v1/Deployment"."""
    version, _, name = kind.rpartition("/")
    return f"{version if '/' in version else f'core/{version}'}:{name}"
