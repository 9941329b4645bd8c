"""Every verb of the command line on a real cluster, as a user types it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from e2e.cluster.cluster import Cluster

pytestmark = pytest.mark.timeout(1800)

LIMIT = 600.0
NAMESPACE = "verbs"
APP = """
from cortex_sdk import SyncAPI

class Echo:
    def predict(self, payload):
        print("asked", payload)
        return {"said": payload, "version": 1}

SyncAPI(Echo)
"""
CONFIG = """
[targets.test]
type = "kubernetes"
namespace = "verbs"
index_url = "{index}"
pip_options = ["--trusted-host={host}"]

[targets.test.platform]
service = "ClusterIP"
replicas = 1
"""

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "project" / "app.py"
    path.parent.mkdir()
    path.write_text(APP)
    return path


@pytest.fixture
def cortex(
    cluster: Cluster,
    platform_manifests: dict[str, Path],
    pulumi_env: dict[str, str],
    app: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Run]:
    """Runs one command line against the cluster, which has its platform."""
    home = tmp_path / "home"
    home.mkdir()
    index = cluster.layout.packages
    text = CONFIG.format(index=index, host=urlsplit(index).hostname)
    for name, path in platform_manifests.items():
        text += f'{Path(name).stem.replace("-", "_")} = "{path}"\n'
    (home / "config.toml").write_text(text)
    monkeypatch.setenv("CORTEX_HOME", str(home))
    monkeypatch.setenv("CORTEX_TARGET", "test")
    monkeypatch.delenv("PULUMI_BACKEND_URL")

    def run(*arguments: object) -> Done:
        code = "from cortex_sdk.cli import main; main()"
        command = [sys.executable, "-c", code, *map(str, arguments)]
        return subprocess.run(
            command,
            cwd=app.parent,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    assert run("cluster", "up").returncode == 0
    yield run
    run("delete", "--all", "--yes")
    run("cluster", "down", "--yes")


def test_an_api_from_its_first_deploy_to_its_end(
    cortex: Run, cluster: Cluster, app: Path
) -> None:
    first = cortex("deploy", app, "-o", "json")
    assert first.returncode == 0, first.stderr
    (deployed,) = json.loads(first.stdout)

    assert cortex("preview", app).stdout.endswith("nothing changes\n")
    answer = cortex("predict", "echo", "--data", "[1]", "-o", "json")
    assert json.loads(answer.stdout) == {"said": [1], "version": 1}
    assert '"asked [1]"' in cortex("logs", "echo", "-o", "json").stdout
    assert "live" in cortex("get", "echo").stdout

    app.write_text(APP.replace('"version": 1', '"version": 2'))
    assert cortex("deploy", app).returncode == 0
    answer = cortex("predict", "echo", "--data", "[1]", "-o", "json")
    assert json.loads(answer.stdout)["version"] == 2

    broken = APP.replace("def predict", "def __init__(self): 1 / 0\n    def predict")
    app.write_text(broken)
    failed = cortex("deploy", app)
    assert failed.returncode == 1
    assert "ZeroDivisionError" in failed.stderr
    assert "echo serves on as it was" in failed.stderr

    back = cortex("rollback", "echo", "-o", "json")
    assert json.loads(back.stdout)["revision"] == deployed["revision"]
    history = json.loads(cortex("history", "echo", "-o", "json").stdout)
    assert history[0]["revision"] == deployed["revision"]
    assert len(history) == 2

    assert cortex("scale", "echo", "--min", "2", "--max", "5").returncode == 0
    scaler = cluster.kubectl("get", "scaledobject", "echo", f"-n={NAMESPACE}", "-ojson")
    assert json.loads(scaler)["spec"]["minReplicaCount"] == 2

    assert cortex("delete", "echo", "--yes").returncode == 0
    left = cluster.kubectl("get", "all,secret,httproute", f"-n={NAMESPACE}", "-oname")
    assert left.strip() == ""


def test_a_package_that_does_not_exist_is_told_and_nothing_stays(
    cortex: Run, cluster: Cluster, app: Path
) -> None:
    app.write_text(APP.replace("(Echo)", '(Echo, requirements=["nope-nope==1"])'))

    failed = cortex("deploy", app)

    assert failed.returncode == 1
    assert "No matching distribution found for nope-nope" in failed.stderr
    left = cluster.kubectl("get", "all,secret,httproute", f"-n={NAMESPACE}", "-oname")
    assert left.strip() == ""
