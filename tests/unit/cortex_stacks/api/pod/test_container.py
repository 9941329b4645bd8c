import json
from pathlib import Path
from typing import Any

import pytest
from stacks_cases import IRIS, iris

from cortex_server.launch import Launch
from cortex_stacks.api.pod.container import container
from cortex_stacks.args import Compute, SyncAPIArgs


def resources(compute: Compute) -> Any:
    return container(iris(compute=compute))["resources"]


@pytest.mark.parametrize(
    "args",
    [IRIS, iris(keys=("key-of-sixteen-letters",), secrets={"A": "b"}, pickle=b"p")],
)
def test_the_server_understands_its_command_line(args: SyncAPIArgs) -> None:
    launch = Launch.parse(container(args)["args"])

    assert launch.manifest == Path("/etc/cortex/release/manifest.json")
    assert launch.listen == "0.0.0.0:8080"
    assert launch.withdraw == 10.0
    assert (launch.keys is None) == (args.keys is None)
    assert (launch.secrets is None) == (not args.secrets)
    assert (launch.pickle is None) == (args.pickle is None)


def test_memory_is_limited_and_cpu_is_not() -> None:
    made = resources(Compute(cpu=0.2, mem=1 << 30))

    assert made["requests"] == {"cpu": "200m", "memory": "1Gi"}
    assert made["limits"] == {"memory": "1Gi"}


def test_devices_are_asked_for_by_the_names_of_their_plugins() -> None:
    assert resources(Compute(cpu=1, gpu=2))["limits"] == {"nvidia.com/gpu": "2"}
    assert resources(Compute(cpu=1, inf=1))["limits"] == {"aws.amazon.com/neuron": "1"}


def test_what_is_secret_is_in_files_and_not_in_the_pod() -> None:
    made = json.dumps(container(iris(secrets={"TOKEN": "sesame"}, keys=("x" * 16,))))

    assert "sesame" not in made
    assert "x" * 16 not in made
