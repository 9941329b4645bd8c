from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Literal

import numpy as np
import pydantic
import pytest
from sanic.response import HTTPResponse

from cortex_server.worker.openapi.content import (
    Hint,
    request_content,
    response_content,
)

EVENTS, LINES = "text/event-stream", "application/x-ndjson"


class House(pydantic.BaseModel):
    area: float

    @pydantic.field_validator("area")
    @classmethod
    def _is_odd(cls, area: float) -> float:
        if area % 2 != 1:
            msg = "must be odd"
            raise ValueError(msg)
        return area


class Even(House):
    @pydantic.field_validator("area")
    @classmethod
    def _is_even(cls, area: float) -> float:
        msg = f"{area} is not"
        raise ValueError(msg)


@pytest.mark.parametrize(
    ("hint", "kinds"),
    [
        (
            None,
            [
                "application/json",
                "text/plain",
                "application/octet-stream",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
            ],
        ),
        (bytes, ["application/octet-stream"]),
        (str, ["text/plain"]),
        (list[float], ["application/json"]),
        (np.ndarray, ["application/json"]),
    ],
)
def test_a_payload_has_the_content_types_that_are_decoded(
    hint: Any, kinds: list[str]
) -> None:
    assert list(request_content(Hint(hint, is_input=True))) == kinds


@pytest.mark.parametrize(
    ("hint", "kinds"),
    [
        (None, ["application/json", "text/plain", "application/octet-stream"]),
        (int, ["application/json"]),
        (House, ["application/json"]),
        (str, ["text/plain"]),
        (Annotated[str, "x"], ["text/plain"]),
        (bytes, ["application/octet-stream"]),
        (str | dict[str, int], ["text/plain", "application/json"]),
        (Literal["a", "b"], ["text/plain"]),
        (Literal["a", 1], ["text/plain", "application/json"]),
        (HTTPResponse, ["*/*"]),
        (Iterator[str], ["text/plain", EVENTS, LINES]),
        (AsyncIterator[dict[str, int]], [LINES, EVENTS]),
        (Iterator[bytes], ["application/octet-stream", EVENTS, LINES]),
    ],
)
def test_a_result_has_the_content_types_that_are_written(
    hint: Any, kinds: list[str]
) -> None:
    assert list(response_content(Hint(hint, is_input=False))) == kinds


def test_an_example_is_one_that_the_type_takes() -> None:
    assert Hint(House, is_input=True).example() == {"example": {"area": 1.0}}
    assert Hint(Even, is_input=True).example() == {}


def test_a_type_without_a_schema_may_be_anything() -> None:
    hint = Hint(type("Own", (), {}), is_input=False)

    assert response_content(hint) == {"application/json": {"schema": {}}}
