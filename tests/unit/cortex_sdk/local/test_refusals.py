from typing import Any

import pytest

from cortex_sdk import SyncAPI, UnsupportedError
from cortex_sdk.local import refusals


class Echo:
    def predict(self, payload: Any) -> Any:
        return payload


def refused(**settings: Any) -> str:
    with pytest.raises(UnsupportedError) as caught:
        refusals.check(SyncAPI(Echo, **settings))
    return str(caught.value)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"compute": {"gpu": 1}}, "compute.gpu=1"),
        ({"compute": {"inf": 1}}, "compute.inf=1"),
        ({"compute": {"cpu": 10_000}}, "compute.cpu=10000.0 (this machine has "),
        ({"compute": {"mem": "1000000G"}}, "compute.mem="),
        ({"update_strategy": {"max_surge": 1}}, "update_strategy.max_surge=1"),
        ({"autoscaling": {"window": "30s"}}, "autoscaling.window=30.0"),
        ({"autoscaling": {"max_replicas": 2}}, "max_replicas=2 (one replica runs)"),
        ({"autoscaling": {"min_replicas": 0}}, "min_replicas=0 (one replica runs)"),
    ],
)
def test_a_setting_that_cannot_be_honoured_is_refused_by_name(
    settings: dict[str, Any], name: str
) -> None:
    assert name in refused(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"processes_per_replica": 2, "threads_per_process": 4},
        {"timeout": 5, "idempotent": True},
        {"autoscaling": {"max_replica_concurrency": 8}},
        {"autoscaling": {"min_replicas": 1, "max_replicas": 1, "init_replicas": 1}},
        {"compute": {"cpu": 0.5, "mem": "64Mi"}},
        {"networking": {"endpoint": "/elsewhere"}},
        {"networking": {"cors": {}}, "auth": {}},
        {"post_predict": {"hooks": lambda response: None, "workers": 8}},
        {"requirements": ["six"], "env": {"A": "b"}, "secrets": {"C": "d"}},
        {"processes_per_replica": 1, "compute": {"gpu": 0}},
        {"monitoring": {"model_type": "regression"}},
    ],
)
def test_everything_else_is_not(settings: dict[str, Any]) -> None:
    refusals.check(SyncAPI(Echo, **settings))


def test_one_sentence_names_all_of_them() -> None:
    said = refused(compute={"gpu": 1}, update_strategy={"max_surge": 1})

    assert said == (
        "local does not support these settings yet:"
        " compute.gpu=1, update_strategy.max_surge=1"
    )
