"""Durations and Kubernetes quantities as plain numbers: seconds, cores, bytes."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")

_BYTES = {
    "": 1,
    **{unit: 1000**power for power, unit in enumerate("kMGTP", 1)},
    **{f"{unit}i": 1024**power for power, unit in enumerate("KMGTP", 1)},
}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)([a-zA-Z]*)")


def seconds(value: object) -> float:
    """Seconds of a number, a timedelta, or text such as "60s", "1m30s", "1.5h".

    Raises:
        ValueError: The value is none of these.
    """
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, int | float) and not isinstance(value, bool):
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
    elif isinstance(value, int | float) and not isinstance(value, bool):
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
            return int(float(number) * _BYTES[unit])
    elif isinstance(value, int) and not isinstance(value, bool):
        return value
    msg = 'must be a size such as "512Mi", "2G", or a number of bytes'
    raise ValueError(msg)


def _share(value: Any) -> Any:  # noqa: ANN401  # checked by what follows
    if isinstance(value, str) and not re.fullmatch(r"(100|\d?\d)%", value):
        msg = 'must be a whole number or a percentage from "0%" to "100%"'
        raise ValueError(msg)
    return value


_TEXT_OR_NUMBER = WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}]})

Seconds = Annotated[float, BeforeValidator(seconds), _TEXT_OR_NUMBER]
Cores = Annotated[float, BeforeValidator(cores), _TEXT_OR_NUMBER]
Bytes = Annotated[int, BeforeValidator(size), _TEXT_OR_NUMBER]
Share = Annotated[Annotated[int, Field(ge=0)] | str, BeforeValidator(_share)]
