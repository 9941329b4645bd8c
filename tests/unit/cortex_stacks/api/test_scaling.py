from typing import Any

import pytest
from stacks_cases import iris

from cortex_stacks.api.scaling import scaled_object
from cortex_stacks.args import Scaling


def spec(**settings: Any) -> Any:
    return scaled_object(iris(scaling=Scaling(**settings)))["spec"]


def rules(direction: str, **settings: Any) -> Any:
    config = spec(**settings)["advanced"]["horizontalPodAutoscalerConfig"]
    return config["behavior"][direction]


@pytest.mark.parametrize(("factor", "percent"), [(1.5, 50), (3.0, 200), (1.001, None)])
def test_a_step_up_is_bounded_by_the_factor_and_one_replica_is_always_allowed(
    factor: float, percent: int | None
) -> None:
    policies = rules("scaleUp", max_upscale_factor=factor)["policies"]

    assert policies[-1] == {"type": "Pods", "value": 1, "periodSeconds": 15}
    assert [each["value"] for each in policies[:-1]] == ([percent] if percent else [])


@pytest.mark.parametrize(("factor", "percent"), [(0.75, 25), (0.0, 100), (0.999, None)])
def test_a_step_down_is_bounded_by_the_factor_and_one_replica_is_always_allowed(
    factor: float, percent: int | None
) -> None:
    policies = rules("scaleDown", max_downscale_factor=factor)["policies"]

    assert policies[-1] == {"type": "Pods", "value": 1, "periodSeconds": 15}
    assert [each["value"] for each in policies[:-1]] == ([percent] if percent else [])


def test_kubernetes_looks_back_for_an_hour_at_most() -> None:
    settings = rules("scaleDown", downscale_stabilization_period=7200.0)

    assert settings["stabilizationWindowSeconds"] == 3600


def test_a_cluster_without_tolerances_gets_none() -> None:
    assert "tolerance" not in rules("scaleUp")


def test_an_api_of_a_fixed_size_has_a_scaler_too() -> None:
    fixed = spec(min_replicas=3, max_replicas=3)

    assert (fixed["minReplicaCount"], fixed["maxReplicaCount"]) == (3, 3)


def test_missing_figures_never_mean_fewer_replicas() -> None:
    fallback = spec(min_replicas=2)["fallback"]

    assert fallback["behavior"] == "currentReplicasIfHigher"
    assert fallback["replicas"] == 2


def test_replicas_are_asked_for_the_mean_over_the_window() -> None:
    (trigger,) = spec(window=30.0, target=0.5)["triggers"]

    assert trigger["metadata"]["url"].endswith(":8081/in-flight/30")
    assert trigger["metadata"]["targetValue"] == "0.5"
