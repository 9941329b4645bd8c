"""A real cluster and the real Pulumi CLI for all tests; each is built once."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e import plugin
from e2e.cluster import starting, wheelhouse
from e2e.cluster.cluster import Cluster
from e2e.images import serving
from e2e.plugin import Plugin
from e2e.toolchain import build
from e2e.toolchain.errors import Unavailable, is_fatal

PLUGIN = pytest.StashKey[Plugin]()


def give_up(reason: Unavailable) -> None:
    """Skip what this machine cannot run; where everything must run, fail."""
    if is_fatal():
        pytest.fail(str(reason), pytrace=False)
    pytest.skip(str(reason))


@pytest.fixture(scope="session")
def toolchain() -> dict[str, Path]:
    """The programs of `nox -s toolchain` by name, built where they are missing."""
    try:
        return build.ensure()
    except Unavailable as reason:
        give_up(reason)
        raise


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster with name resolution and a package index, and nothing else."""
    try:
        with starting.cluster() as started:
            yield started
    except Unavailable as reason:
        give_up(reason)


@pytest.fixture(scope="session")
def platform_manifests(cluster: Cluster) -> dict[str, Path]:
    """Manifests of Gateway API, Envoy Gateway and KEDA, whose images are loaded."""
    try:
        return starting.load_platform(cluster)
    except Unavailable as reason:
        give_up(reason)
        raise


@pytest.fixture(scope="session")
def serving_image(cluster: Cluster) -> str:
    """The name of an image made from `server/Dockerfile`, with scikit-learn in it."""
    cluster.load(serving.ensure(wheelhouse.ensure(), "scikit-learn joblib"))
    return serving.REFERENCE


@pytest.fixture(scope="session")
def provider(
    toolchain: dict[str, Path],
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Plugin:
    """The Kubernetes provider plugin, in a `PULUMI_HOME` of this run."""
    home = tmp_path_factory.mktemp("pulumi")
    found = plugin.install(toolchain["pulumi"], home)
    request.config.stash[PLUGIN] = found
    return found


@pytest.fixture
def pulumi_env(
    toolchain: dict[str, Path],
    cluster: Cluster,
    provider: Plugin,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> dict[str, str]:
    """Variables by which this process finds Pulumi, its plugin and the cluster."""
    folders = [toolchain[name].parent for name in ("pulumi", "pulumi-language-python")]
    found = {
        "PATH": os.pathsep.join([*map(str, folders), os.environ["PATH"]]),
        "KUBECONFIG": str(cluster.kubeconfig),
        "PULUMI_HOME": str(provider.home),
        "PULUMI_BACKEND_URL": f"file://{tmp_path}",
        "PULUMI_CONFIG_PASSPHRASE": "of a test",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Every report says which provider plugin the tests ran with."""
    if used := config.stash.get(PLUGIN, None):
        terminalreporter.write_line(f"Kubernetes provider: {used.what}")
