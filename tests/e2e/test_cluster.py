"""The test cluster itself: what it must do before anything is tested on it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from commands import eventually
from e2e import load
from e2e.cluster import cgroups, remains
from e2e.cluster.cluster import TESTS, Cluster
from e2e.cluster.layout import Layout
from e2e.images.catalogue import PYTHON

GREETER = Path(__file__).with_name("greeter.yaml")


@pytest.fixture(scope="module")
def greeter(cluster: Cluster) -> Iterator[str]:
    """Two pods behind a Service, whose namespace is returned."""
    text = GREETER.read_text().replace("IMAGE", PYTHON)
    text = text.replace("INDEX", cluster.layout.packages)
    text = text.replace("NODE", cluster.layout.node)
    cluster.kubectl("create", "namespace", "greeter")
    cluster.kubectl("apply", "--namespace=greeter", "-f", "-", stdin=text)
    waiting = ("--for=condition=Available", "--timeout=120s", "deployment/greeter")
    cluster.kubectl("wait", "--namespace=greeter", *waiting)
    yield "greeter"
    cluster.kubectl("delete", "namespace", "greeter")


def listed(cluster: Cluster, *what: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(
        cluster.kubectl("get", *what, "-o=json")
    )["items"]
    return found


def fetched(cluster: Cluster, url: str) -> str:
    """What a program in the network of the cluster reads from a URL."""
    code = f"import urllib.request as r; print(r.urlopen({url!r}, timeout=9).read())"
    command = cluster.inside(sys.executable, "-c", code)
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_pods_install_from_the_index_and_answer_through_a_service(
    cluster: Cluster, greeter: str
) -> None:
    what = ("service", "greeter", f"--namespace={greeter}")
    address = cluster.kubectl("get", *what, "-o=jsonpath={.spec.clusterIP}")
    assert "html5tagger" in fetched(cluster, f"http://{address}/")


def test_load_is_sent_from_inside_and_every_answer_is_counted(
    cluster: Cluster, greeter: str
) -> None:
    what = ("service", "greeter", f"--namespace={greeter}")
    address = cluster.kubectl("get", *what, "-o=jsonpath={.spec.clusterIP}")
    with load.sent(cluster, f"http://{address}:80/", at_least=50) as result:
        pass
    # Its server knows only GET and HEAD.
    assert all(text.startswith("501 ") for text in result().answers)
    assert result().sent >= 50


def test_pods_find_each_other_by_name(cluster: Cluster, greeter: str) -> None:
    code = f"import socket; print(socket.gethostbyname('greeter.{greeter}.svc'))"
    pod = ("exec", f"--namespace={greeter}", "deployment/greeter", "--")
    what = ("service", "greeter", f"--namespace={greeter}")
    address = cluster.kubectl("get", *what, "-o=jsonpath={.spec.clusterIP}")
    assert cluster.kubectl(*pod, "python", "-c", code).strip() == address


def test_an_eviction_keeps_to_the_disruption_budget(
    cluster: Cluster, greeter: str
) -> None:
    pods = cluster.kubectl("get", "pods", f"--namespace={greeter}", "-o=name").split()
    first, second = (pod.removeprefix("pod/") for pod in pods)
    evict(cluster, greeter, first)
    with pytest.raises(AssertionError, match="disruption budget"):
        evict(cluster, greeter, second)


def evict(cluster: Cluster, namespace: str, pod: str) -> None:
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": namespace},
    }
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
    cluster.kubectl("create", f"--raw={path}", "-f", "-", stdin=json.dumps(eviction))


def test_a_pod_of_the_serving_image_is_ready_to_serve_and_is_not_root(
    cluster: Cluster, serving_image: str
) -> None:
    code = "import cortex_server.manifest, joblib, sklearn, os; print(os.getuid())"
    run = ("run", "serving", "--rm", "--attach", "--quiet", "--restart=Never")
    image = (f"--image={serving_image}", "--command", "--", "python", "-P", "-c")
    assert cluster.kubectl(*run, *image, code).strip() == "65532"


def test_a_killed_run_leaves_nothing_once_the_next_one_has_started() -> None:
    before = kernel()
    command = [sys.executable, "-u", "-m", "e2e.cluster"]
    with subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE) as process:
        layout = introduced(process)
        assert layout.folder.exists()
        process.kill()
    eventually(lambda: not processes(layout), "its processes outlived it")
    remains.clear_all()
    assert not layout.folder.exists()
    assert not any((parent / layout.name).exists() for parent in cgroups.hierarchies())
    assert layout.name not in psutil.net_if_stats()
    assert str(layout.folder) not in Path("/proc/mounts").read_text()
    assert kernel() == before


def introduced(process: "subprocess.Popen[bytes]") -> Layout:
    """Wait until a cluster by hand says where it is."""
    assert process.stdout
    for line in process.stdout:
        if line.startswith(b"export KUBECONFIG="):
            folder = Path(line.decode().partition("=")[2]).parent
            return Layout(int(folder.name.removeprefix("cortex-e2e")))
    raise AssertionError("it ended before it was ready")


def processes(layout: Layout) -> list[psutil.Process]:
    """Whatever has the folder of a cluster in its command line or its cgroup."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(layout.folder) in " ".join(process.info["cmdline"] or ())
    ]


def kernel() -> list[str]:
    names = ("vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops")
    return [Path("/proc/sys", name).read_text() for name in names]
