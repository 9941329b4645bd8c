from typing import Any

import pytest

from cortex_sdk import Autoscaling, InvalidSpecError


def test_defaults_are_those_of_cortex() -> None:
    assert Autoscaling().model_dump() == {
        "min_replicas": 1,
        "max_replicas": 100,
        "init_replicas": None,
        "target_replica_concurrency": None,
        "max_replica_concurrency": 1024,
        "window": 60,
        "downscale_stabilization_period": 300,
        "upscale_stabilization_period": 60,
        "max_downscale_factor": 0.75,
        "max_upscale_factor": 1.5,
        "downscale_tolerance": 0.05,
        "upscale_tolerance": 0.05,
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"min_replicas": 0},
        {"min_replicas": 100},
        {"max_replicas": 1},
        {"init_replicas": 1},
        {"init_replicas": 100},
        {"init_replicas": 0, "min_replicas": 0},
        {"target_replica_concurrency": 0.1},
        {"target_replica_concurrency": 1024},
        {"max_replica_concurrency": 1},
        {"max_replica_concurrency": 65535},
        {"window": 10},
        {"window": "1m10s"},
        {"downscale_stabilization_period": 0},
        {"upscale_stabilization_period": "0s"},
        {"max_downscale_factor": 0},
        {"max_downscale_factor": 0.999},
        {"max_upscale_factor": 1.001},
        {"downscale_tolerance": 0},
        {"downscale_tolerance": 0.999},
        {"upscale_tolerance": 0},
        {"upscale_tolerance": 7},
    ],
)
def test_the_edges_of_each_range_are_inside_it(fields: dict[str, Any]) -> None:
    Autoscaling(**fields)


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("min_replicas", -1, "must be at least 0"),
        ("min_replicas", 1.5, "must be a whole number"),
        ("min_replicas", "many", "must be a whole number"),
        ("max_replicas", 0, "must be at least 1"),
        ("init_replicas", -1, "must be at least 0"),
        ("target_replica_concurrency", 0, "must be above 0"),
        ("target_replica_concurrency", "x", "must be a number"),
        ("max_replica_concurrency", 0, "must be at least 1"),
        ("max_replica_concurrency", 65536, "must be at most 65535"),
        ("window", "9s", "must be at least 10"),
        ("window", "soon", 'must be a duration such as 60, "60s", "1m30s"'),
        ("downscale_stabilization_period", -1, "must be at least 0"),
        ("upscale_stabilization_period", -1, "must be at least 0"),
        ("max_downscale_factor", 1, "must be below 1"),
        ("max_downscale_factor", -0.1, "must be at least 0"),
        ("max_upscale_factor", 1, "must be above 1"),
        ("downscale_tolerance", 1, "must be below 1"),
        ("downscale_tolerance", -0.1, "must be at least 0"),
        ("upscale_tolerance", -0.1, "must be at least 0"),
    ],
)
def test_a_value_outside_its_range_is_refused(
    field: str, value: Any, rule: str
) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        Autoscaling(**{field: value})

    assert str(caught.value).startswith(f"`Autoscaling.{field}` {rule}")
    assert str(caught.value).endswith(f", got {value!r}")


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        (
            {"min_replicas": 3, "max_replicas": 2},
            "max_replicas must be at least min_replicas (3), not 2",
        ),
        (
            {"min_replicas": 3, "init_replicas": 2},
            "init_replicas must be from 3 to 100, not 2",
        ),
        (
            {"max_replicas": 3, "init_replicas": 4},
            "init_replicas must be from 1 to 3, not 4",
        ),
        (
            {"target_replica_concurrency": 9, "max_replica_concurrency": 8},
            (
                "target_replica_concurrency must be at most"
                " max_replica_concurrency (8), not 9"
            ),
        ),
        ({"window": 65}, "window must be a multiple of 10 seconds, not 65"),
    ],
)
def test_values_that_contradict_each_other_are_refused(
    fields: dict[str, Any], rule: str
) -> None:
    with pytest.raises(InvalidSpecError) as caught:
        Autoscaling(**fields)

    assert str(caught.value) == f"`Autoscaling`: {rule}"
