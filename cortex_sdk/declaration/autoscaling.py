"""How many replicas an API has, and when that number changes."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from cortex_sdk.declaration.units import Seconds
from cortex_sdk.declaration.value import Value

_TICK = 10


class Autoscaling(Value):
    """Bounds and goal of the replica count, as in Cortex's autoscaler.

    The scaler averages the requests in flight over `window`, divides by
    `target_replica_concurrency`, and moves towards that many replicas within the
    factors, tolerances and stabilization periods below.

    Example:
        >>> Autoscaling(min_replicas=2, max_replicas=10, window="30s").window
        30.0
    """

    min_replicas: Annotated[int, Field(ge=0)] = 1
    """Fewest replicas, at least 0."""
    max_replicas: Annotated[int, Field(ge=1)] = 100
    """Most replicas, at least `min_replicas`."""
    init_replicas: Annotated[int, Field(ge=0)] | None = None
    """Replicas of an API that is created, from `min_replicas` to `max_replicas`;
    unset, `min_replicas`."""
    target_replica_concurrency: Annotated[float, Field(gt=0)] | None = None
    """Requests in flight that one replica should have, at most
    `max_replica_concurrency`; unset, processes times threads, and with batching times
    `max_batch_size`."""
    max_replica_concurrency: Annotated[int, Field(ge=1, le=65535)] = 1024
    """Requests in flight above which a replica answers 503, from 1 to 65535."""
    window: Annotated[Seconds, Field(ge=_TICK)] = 60.0
    """Seconds over which requests in flight are averaged, a multiple of 10."""
    downscale_stabilization_period: Annotated[Seconds, Field(ge=0)] = 300.0
    """Seconds for which fewer replicas must have been right before there are fewer."""
    upscale_stabilization_period: Annotated[Seconds, Field(ge=0)] = 60.0
    """Seconds for which more replicas must have been right before there are more."""
    max_downscale_factor: Annotated[float, Field(ge=0, lt=1)] = 0.75
    """The share of the replicas that one step down must leave, from 0 to below 1."""
    max_upscale_factor: Annotated[float, Field(gt=1)] = 1.5
    """The most that one step up may multiply the replicas by, above 1."""
    downscale_tolerance: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """The share by which fewer replicas may be right without a step, from 0 to 1."""
    upscale_tolerance: Annotated[float, Field(ge=0)] = 0.05
    """The share by which more replicas may be right without a step, at least 0."""

    @model_validator(mode="after")
    def _bounds_agree(self) -> Self:
        low, high, first = self.min_replicas, self.max_replicas, self.init_replicas
        if high < low:
            msg = f"max_replicas must be at least min_replicas ({low}), not {high}"
            raise ValueError(msg)
        if first is not None and not low <= first <= high:
            msg = f"init_replicas must be from {low} to {high}, not {first}"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _concurrency_agrees(self) -> Self:
        goal, limit = self.target_replica_concurrency, self.max_replica_concurrency
        if goal is not None and goal > limit:
            msg = (
                "target_replica_concurrency must be at most"
                f" max_replica_concurrency ({limit}), not {goal:g}"
            )
            raise ValueError(msg)
        if self.window % _TICK:
            msg = f"window must be a multiple of {_TICK} seconds, not {self.window:g}"
            raise ValueError(msg)
        return self
