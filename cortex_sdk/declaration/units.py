"""Durations and Kubernetes quantities as plain numbers: seconds, cores, bytes."""

import math
import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, TypeGuard

from pydantic import BeforeValidator, WithJsonSchema

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")

_BYTES = {
    "": 1,
    **{unit: 1000**power for power, unit in enumerate("kMGTP", 1)},
    **{f"{unit}i": 1024**power for power, unit in enumerate("KMGTP", 1)},
}
_PERCENTAGE = re.compile(r"(100|\d?\d)%")
_STEP = 1024
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)([a-zA-Z]*)")


def seconds(value: object) -> float:
    """Seconds of a number, a timedelta, or text such as "60s", "1m30s", "1.5h".

    Raises:
        ValueError: The value is none of these.
    """
    if isinstance(value, timedelta):
        return value.total_seconds()
    if _is_number(value):
        return float(value)
    parts = _DURATION.findall(value) if isinstance(value, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != value:
        msg = 'must be a duration such as 60, "60s", "1m30s"'
        raise ValueError(msg)
    return float(sum(float(number) * _SECONDS[unit] for number, unit in parts))


def cores(value: object) -> float:
    """Cores of a number or a Kubernetes quantity: 0.5, "2", "200m".

    Raises:
        ValueError: The value is none of these.
    """
    if isinstance(value, str) and (match := _QUANTITY.fullmatch(value)):
        number, unit = match.groups()
        if unit in ("", "m"):
            return float(number) / (1000 if unit else 1)
    elif _is_number(value):
        return float(value)
    msg = 'must be a number of cores such as 0.5, "2", "200m"'
    raise ValueError(msg)


def size(value: object) -> int:
    """Bytes of an integer or a Kubernetes quantity: 536870912, "512Mi", "2G".

    Raises:
        ValueError: The value is none of these.
    """
    if isinstance(value, str) and (match := _QUANTITY.fullmatch(value)):
        number, unit = match.groups()
        if unit in _BYTES:
            return int(Decimal(number) * _BYTES[unit])
    elif isinstance(value, int) and not isinstance(value, bool):
        return value
    msg = 'must be a size such as "512Mi", "2G", or a number of bytes'
    raise ValueError(msg)


def size_text(size: int) -> str:
    """Bytes for people to read, in the largest unit that fits: 20Mi, 1.4Gi."""
    unit, number = "", float(size)
    for larger in ("Ki", "Mi", "Gi", "Ti"):
        if number < _STEP:
            break
        unit, number = larger, number / _STEP
    return f"{number:.1f}".removesuffix(".0") + unit


def _share(value: Any) -> int | str:  # noqa: ANN401  # it refuses what is wrong
    if isinstance(value, str) and _PERCENTAGE.fullmatch(value):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    msg = 'must be a whole number of at least 0, or a percentage from "0%" to "100%"'
    raise ValueError(msg)


def _is_number(value: object) -> TypeGuard[float]:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


_TEXT_OR_NUMBER = WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]})

Seconds = Annotated[float, BeforeValidator(seconds), _TEXT_OR_NUMBER]
Cores = Annotated[float, BeforeValidator(cores), _TEXT_OR_NUMBER]
Bytes = Annotated[int, BeforeValidator(size), _TEXT_OR_NUMBER]
Share = Annotated[int | str, BeforeValidator(_share)]
