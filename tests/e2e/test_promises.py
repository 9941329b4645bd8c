"""What the product promises, kept on a real cluster while things change and go."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e import load, stage
from e2e.cluster.cluster import Cluster
from e2e.plugin import Plugin

from cortex_sdk import Kubernetes, SyncAPI
from cortex_sdk.errors import DeployError

pytestmark = pytest.mark.timeout(900)

NAMESPACE = "promises"
LIMIT = 240.0
APP = """
import time
import urllib.request


class Echo:
    def __init__(self, config):
        self.word = config.get("word")

    def predict(self, payload):
        return self.word or payload


class Slow:
    def __init__(self, config):
        self.seconds = config["seconds"]

    async def predict(self, payload):
        import asyncio

        await asyncio.sleep(self.seconds)
        return payload


class Counter:
    def __init__(self):
        self.number = 0

    def predict(self, payload):
        self.number += payload
        return self.number


class Hooked:
    def __init__(self, config):
        self.counter = config["counter"]

    def predict(self, payload):
        return 1

    def post_predict(self):
        time.sleep(0.01)
        request = urllib.request.Request(
            self.counter, b"1", {"content-type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=20).read()


class Broken:
    def __init__(self):
        raise ValueError("no model in sight")

    def predict(self, payload):
        return payload
"""


@pytest.fixture(scope="module")
def target(
    cluster: Cluster,
    toolchain: dict[str, Path],
    provider: Plugin,
    platform_manifests: dict[str, Path],
    serving_image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Kubernetes]:
    home = tmp_path_factory.mktemp("cortex")
    with stage.prepared(
        cluster, toolchain, provider, platform_manifests, home
    ) as settings:
        yield Kubernetes(
            kubeconfig=str(cluster.kubeconfig),
            namespace=NAMESPACE,
            image=serving_image,
            pull_policy="Never",
            platform=settings,
        )


@pytest.fixture
def declare(target: Kubernetes, tmp_path: Path) -> Iterator[Callable[..., SyncAPI]]:
    """Declares an API of the project; all are gone after the test."""
    (tmp_path / "app.py").write_text(APP)

    def declared(cls: str, name: str, **fields: Any) -> SyncAPI:
        return SyncAPI(f"app:{cls}", name=name, project=tmp_path, **fields)

    yield declared
    for status in target.list():
        target.delete(status.name)


def until(claim: Callable[[], bool], what: str) -> None:
    """Wait for what a cluster takes its time for."""
    end = time.monotonic() + LIMIT
    while not claim():
        assert time.monotonic() < end, what
        time.sleep(0.5)


def desired(target: Kubernetes, name: str) -> int:
    return target.status(name).replicas.desired


def pods(cluster: Cluster, name: str) -> list[str]:
    found = cluster.kubectl(
        *("get", "pods", f"--namespace={NAMESPACE}"),
        *(f"--selector=app.kubernetes.io/name={name}", "--output=name"),
    )
    return [line.removeprefix("pod/") for line in found.splitlines()]


def test_no_request_is_lost_while_revisions_change(
    cluster: Cluster, target: Kubernetes, declare: Callable[..., SyncAPI]
) -> None:
    first = declare("Echo", "echo").deploy(target)
    assert first.predict(7) == 7

    with load.sent(cluster, first.endpoint, connections=16, at_least=20_000) as answers:
        for word in ("a", "b"):
            changed = declare("Echo", "echo", config={"word": word}).deploy(target)
            assert changed.changed

    assert answers().failures() == {}
    assert answers().sent >= 20_000
    assert first.predict(7) == "b"


def test_replicas_follow_the_load(
    cluster: Cluster, target: Kubernetes, declare: Callable[..., SyncAPI]
) -> None:
    api = declare(
        "Slow",
        "busy",
        config={"seconds": 0.2},
        autoscaling={
            "max_replicas": 4,
            "target_replica_concurrency": 2,
            "window": "10s",
            "upscale_stabilization_period": 0,
            "downscale_stabilization_period": "5s",
            "max_upscale_factor": 4,
            "max_downscale_factor": 0,
        },
    )
    deployment = api.deploy(target)
    assert desired(target, "busy") == 1

    with load.sent(cluster, deployment.endpoint, connections=8) as answers:
        until(lambda: desired(target, "busy") == 4, "never had four replicas")
        until(lambda: target.status("busy").replicas.live == 4, "never were ready")
    until(lambda: desired(target, "busy") == 1, "never went back to one replica")

    assert answers().failures() == {}


def test_an_eviction_loses_nothing(
    cluster: Cluster, target: Kubernetes, declare: Callable[..., SyncAPI]
) -> None:
    bounds = {"min_replicas": 2, "max_replicas": 2}
    deployment = declare("Echo", "pair", autoscaling=bounds).deploy(target)
    until(lambda: target.status("pair").replicas.live == 2, "two never were ready")
    victim = pods(cluster, "pair")[0]

    with load.sent(cluster, deployment.endpoint, at_least=3_000) as answers:
        evict(cluster, victim)
        until(lambda: victim not in pods(cluster, "pair"), "the pod stayed")
        until(lambda: target.status("pair").replicas.live == 2, "none replaced it")

    assert answers().failures() == {}


def evict(cluster: Cluster, pod: str) -> None:
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": NAMESPACE},
    }
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
    cluster.kubectl(
        "create", f"--raw={path}", "--filename=-", stdin=json.dumps(eviction)
    )


def test_what_was_accepted_is_finished_through_a_rollout_and_a_scale_down(
    target: Kubernetes, declare: Callable[..., SyncAPI]
) -> None:
    bounds = {"min_replicas": 2, "max_replicas": 2}
    api = declare("Slow", "slow", config={"seconds": 20}, autoscaling=bounds)
    deployment = api.deploy(target)
    fewer = declare(
        "Slow",
        "slow",
        config={"seconds": 20.001},
        autoscaling={"min_replicas": 1, "max_replicas": 1},
    )

    def ask(number: int) -> Any:
        answer = httpx.post(deployment.endpoint, json=number, timeout=120)
        return answer.status_code, answer.json()

    with ThreadPoolExecutor(8) as clients:
        asked = [clients.submit(ask, number) for number in range(8)]
        time.sleep(2)  # they are on their way, and stay there for twenty seconds
        assert not any(each.done() for each in asked)
        fewer.deploy(target)
        answers = [each.result() for each in asked]

    assert answers == [(200, number) for number in range(8)]
    until(lambda: desired(target, "slow") == 1, "never scaled down")


def test_every_hook_runs_also_at_a_rollout(
    cluster: Cluster, target: Kubernetes, declare: Callable[..., SyncAPI]
) -> None:
    counter = declare("Counter", "counter").deploy(target)
    config = {"counter": f"http://counter.{NAMESPACE}.svc.cluster.local/"}
    fields = {"config": config, "post_predict": {"when_full": "wait"}}
    hooked = declare("Hooked", "hooked", **fields, log_level="warning")
    deployment = hooked.deploy(target)
    another = declare("Hooked", "hooked", **fields, log_level="error")

    with load.sent(cluster, deployment.endpoint, connections=2) as answers:
        another.deploy(target)

    assert answers().failures() == {}
    sent = answers().sent
    assert sent > 0
    until(lambda: counter.predict(0) == sent, f"not all of {sent} hooks have run")


def test_a_broken_revision_changes_nothing_and_a_bad_one_is_rolled_back(
    target: Kubernetes, declare: Callable[..., SyncAPI]
) -> None:
    good = declare("Echo", "echo", config={"word": "good"}).deploy(target)

    with pytest.raises(DeployError, match="no model in sight") as raised:
        declare("Broken", "echo").deploy(target)

    assert 'File "app.py"' in raised.value.traceback
    assert good.predict(1) == "good"
    assert target.status("echo").revision == good.revision

    bad = declare("Echo", "echo", config={"word": "bad"}).deploy(target)
    assert bad.predict(1) == "bad"
    back = target.rollback("echo", None, print)
    assert back.revision == good.revision
    assert good.predict(1) == "good"


def test_a_deleted_api_leaves_nothing(
    cluster: Cluster, target: Kubernetes, declare: Callable[..., SyncAPI]
) -> None:
    declare("Echo", "gone", secrets={"TOKEN": "hidden"}).deploy(target)

    target.delete("gone")

    kinds = (
        "deployments,replicasets,pods,services,serviceaccounts,configmaps,secrets,"
        "networkpolicies,poddisruptionbudgets,httproutes,scaledobjects,"
        "horizontalpodautoscalers,backendtrafficpolicies,endpointslices"
    )

    def left() -> str:
        label = "--selector=app.kubernetes.io/name=gone"
        return cluster.kubectl(
            "get", kinds, f"--namespace={NAMESPACE}", label, "--output=name"
        )

    until(lambda: left() == "", f"left behind: {left()}")
