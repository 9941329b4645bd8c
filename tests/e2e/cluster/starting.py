"""A cluster with what every test needs in it: images, name resolution, packages."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e import manifests
from e2e.cluster import wheelhouse
from e2e.cluster.cluster import Cluster, running
from e2e.images import catalogue
from e2e.toolchain import build, debian, tools
from e2e.toolchain.build import Say

COPIED = "gateway.networking.k8s.io/bundle-version:"
DNS = Path(__file__).with_name("dns.yaml")


@contextmanager
def cluster(say: Say = print) -> Iterator[Cluster]:
    """A cluster whose pods find each other by name and packages in an index.

    Raises:
        Unavailable: If this machine cannot run one.
    """
    debian.ensure()
    kube = build.ensure((tools.KUBERNETES,), say)["kube"].parent
    archives, wheels = catalogue.basic(say), wheelhouse.ensure(say)
    started = time.monotonic()
    with running(kube, wheels, archives) as started_cluster:
        _resolve_names(started_cluster)
        say(f"cluster ready after {time.monotonic() - started:.1f} s")
        yield started_cluster


def install(cluster: Cluster, say: Say = print) -> None:
    """Install Envoy Gateway and KEDA, and wait until they are available."""
    rendered = load_platform(cluster, say)
    started = time.monotonic()
    for name, manifest in rendered.items():
        text = manifest.read_text()
        if name == manifests.ENVOY_GATEWAY:
            text = _without_gateway_api(text)
        options = ("--server-side", "--force-conflicts")
        cluster.kubectl("apply", *options, "-f", "-", stdin=text)
    _await_deployments(cluster)
    say(f"platform ready after {time.monotonic() - started:.1f} s")


def _without_gateway_api(text: str) -> str:
    """Envoy Gateway's manifest without its own, experimental copy of Gateway API.

    Gateway API's safe-upgrade policy refuses that copy over the standard one.
    """
    documents = text.split("\n---\n")
    return "\n---\n".join(part for part in documents if COPIED not in part)


def load_platform(cluster: Cluster, say: Say = print) -> dict[str, Path]:
    """Load the platform's images; the manifests that install it, by file name."""
    rendered, archives = manifests.ensure(say), catalogue.platform(say)
    started = time.monotonic()
    cluster.load(*archives)
    say(f"images of the platform loaded in {time.monotonic() - started:.1f} s")
    return rendered


def _resolve_names(cluster: Cluster) -> None:
    text = DNS.read_text().replace("COREDNS", catalogue.COREDNS.name)
    text = text.replace("ADDRESS", cluster.layout.dns)
    cluster.kubectl("apply", "-f", "-", stdin=text)
    _await_deployments(cluster)


def _await_deployments(cluster: Cluster) -> None:
    limit = "--timeout=120s"
    wanted = ("--for=condition=Available", "deployment", "--all", "--all-namespaces")
    cluster.kubectl("wait", limit, *wanted)
