"""A traffic splitter through the real Envoy Gateway does what it does locally."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
import splitting
from commands import eventually
from e2e.cluster.cluster import Cluster as RealCluster
from e2e.images.catalogue import PYTHON
from splitting import Answer

from cortex_sdk.kubernetes import platform
from cortex_sdk.kubernetes.cluster.access import Access
from cortex_sdk.kubernetes.cluster.connection import Connection
from cortex_sdk.kubernetes.engine import Engine, EngineSettings
from cortex_sdk.kubernetes.platform.settings import Platform
from cortex_sdk.kubernetes.platform.site import Site
from cortex_stacks.args import Cluster, GatewayRef, Rule, SplitterArgs, Sticky
from cortex_stacks.splitter import program

pytestmark = pytest.mark.timeout(1800)

NAMESPACE = "splitting"
ECHO = Path(__file__).with_name("echo.py").read_text()
WEIGHTS = {"a": 80, "b": 20}


@dataclass
class OnCluster:
    """The part of a target that its platform needs."""

    of: Site

    def site(self) -> Site:
        return self.of


@dataclass
class Splitter:
    """One splitter, and the way to it."""

    args: SplitterArgs
    cluster: Cluster
    engine: Engine
    url: str

    def put(self, **changes: Any) -> bool:
        """Deploy it with these arguments; returns whether anything changed."""
        wanted = replace(self.args, **changes)
        run = program(self.cluster, wanted)
        return self.engine.up(wanted.stack, run, print).changed


def echo(name: str) -> list[dict[str, Any]]:
    """A Deployment and a Service, named as those of an API are."""
    metadata = {"name": name, "namespace": NAMESPACE}
    container = {
        "name": "echo",
        "image": PYTHON,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", ECHO],
        "env": [{"name": "NAME", "value": name}],
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
    }
    labels = {"app": name}
    pods = {
        "metadata": {"labels": labels},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
    }
    return [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {"selector": {"matchLabels": labels}, "template": pods},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
        },
    ]


@pytest.fixture
def apis(cluster: RealCluster) -> Iterator[list[str]]:
    """Three echoes in a namespace of their own."""
    names = ["a", "b", "c"]
    items = [one for name in names for one in echo(name)]
    cluster.kubectl("create", "namespace", NAMESPACE)
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    cluster.kubectl("apply", "-f", "-", stdin=listed)
    waiting = ("--for=condition=Available", "--timeout=180s", "deployment", "--all")
    cluster.kubectl("wait", f"--namespace={NAMESPACE}", *waiting)
    yield names
    cluster.kubectl("delete", "namespace", NAMESPACE)


@pytest.fixture
def splitter(
    cluster: RealCluster,
    apis: list[str],
    platform_manifests: dict[str, Path],
    pulumi_env: dict[str, str],
    tmp_path: Path,
) -> Iterator[Splitter]:
    reached = Cluster(kubeconfig=str(cluster.kubeconfig))
    access = Access(Connection(reached))
    engine = Engine(EngineSettings(home=tmp_path / "pulumi"))
    settings = Platform(
        gateway_api=str(platform_manifests["gateway-api.yaml"]),
        envoy_gateway=str(platform_manifests["envoy-gateway.yaml"]),
        keda=str(platform_manifests["keda.yaml"]),
        service="ClusterIP",
        replicas=1,
    )
    site = Site(
        target="test",
        cluster=reached,
        access=access,
        engine=engine,
        settings=settings,
        gateway=GatewayRef(),
        downloads=tmp_path / "downloads",
        stack=f"{access.uid[:8]}.cortex-system.platform.platform",
    )
    target = OnCluster(site)
    info = platform.up(target, print)
    assert info.found.gateway is not None
    args = SplitterArgs(
        name="all",
        namespace=NAMESPACE,
        stack=f"{access.uid[:8]}.{NAMESPACE}.splitter.all",
        endpoint="/all",
        weights=WEIGHTS,
        timeout=30.0,
        features=platform.features(target),
    )
    (url,) = info.found.gateway.urls
    try:
        yield Splitter(args, reached, engine, f"{url}/all")
    finally:
        engine.destroy(args.stack, print)
        platform.down(target, print, force=True)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30, trust_env=False) as opened:
        yield opened


def sender(client: httpx.Client, url: str) -> splitting.Send:
    def send(headers: Mapping[str, str]) -> Answer:
        answer = client.post(url, json=1, headers=headers)
        client.cookies.clear()
        api = answer.headers.get("x-cortex-api", "")
        if answer.status_code == 200:
            assert answer.text == f"{api} / below /all"
        return Answer(answer.status_code, api, answer.headers.get("set-cookie", ""))

    return send


def pods(cluster: RealCluster) -> set[str]:
    where = f"--namespace={NAMESPACE}"
    return set(cluster.kubectl("get", "pods", where, "-o=name").split())


def test_it_does_what_it_does_locally_and_restarts_nothing(
    cluster: RealCluster, splitter: Splitter, client: httpx.Client
) -> None:
    rule = Rule(header="x-variant", value="b", api="b")
    assert splitter.put(rules=(rule,), shadow={"c": 30})
    send = sender(client, splitter.url)
    eventually(lambda: send({}).status == 200, "the gateway follows")
    before, running = copied(cluster, client), pods(cluster)

    splitting.check_weights(send, WEIGHTS)
    splitting.check_rule(send, "x-variant", "b", "b")
    sent = 1000 + 100
    assert splitting.about(copied(cluster, client) - before, 0.3, sent)

    splitter.put(sticky=Sticky(header="x-user"))
    eventually(lambda: not is_ruled(send), "the gateway follows")
    splitting.check_header_decides(send, "x-user", WEIGHTS)

    splitter.put(sticky=Sticky(cookie="variant", lifetime=3600.0))
    eventually(lambda: bool(send({}).cookies), "the gateway follows")
    splitting.check_cookie_decides(send, WEIGHTS)

    assert not splitter.put(sticky=Sticky(cookie="variant", lifetime=3600.0))
    assert_moved_under_load(splitter)
    assert pods(cluster) == running


def is_ruled(send: splitting.Send) -> bool:
    """Whether a header still forces the API that has the least weight."""
    return {send({"x-variant": "b"}).api for _ in range(20)} == {"b"}


def copied(cluster: RealCluster, client: httpx.Client) -> int:
    what = ("service", "c", f"--namespace={NAMESPACE}")
    address = cluster.kubectl("get", *what, "-o=jsonpath={.spec.clusterIP}")
    return int(client.get(f"http://{address}/").text)


def assert_moved_under_load(splitter: Splitter) -> None:
    """Weights move back and forth, and no request is lost."""
    answers, enough = Counter[tuple[int, str]](), Event()

    def ask() -> None:
        with httpx.Client(timeout=30, trust_env=False) as client:
            send = sender(client, splitter.url)
            while not enough.is_set():
                answer = send({})
                answers[answer.status, answer.api] += 1

    asking = Thread(target=ask)
    asking.start()
    try:
        for share in (0, 100, 50):
            assert splitter.put(weights={"a": share, "b": 100 - share})
    finally:
        enough.set()
        asking.join()
    assert answers.keys() == {(200, "a"), (200, "b")}
