from typing import Any

import pytest
from stacks_cases import iris

from cortex_stacks.api.network import network_policy
from cortex_stacks.args import Scaling


def scrapers(prometheus: str | None) -> Any:
    spec = network_policy(iris(scaling=Scaling(prometheus=prometheus)))["spec"]
    admin = spec["ingress"][1]["from"]
    names = (each["namespaceSelector"]["matchLabels"].values() for each in admin)
    return [name for each in names for name in each]


def test_a_prometheus_in_the_cluster_may_ask_replicas() -> None:
    names = scrapers("http://prometheus.monitoring.svc:9090")

    assert names == ["keda", "cortex-system", "monitoring"]


@pytest.mark.parametrize("url", [None, "https://prometheus.example.com/api"])
def test_nobody_else_may(url: str | None) -> None:
    assert scrapers(url) == ["keda", "cortex-system"]
