import dataclasses
import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sanic.response import HTTPResponse, json, text

from cortex_server.worker.results import NotJSONError, answer_of

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


class Price(pydantic.BaseModel):
    amount: Decimal
    seen: set[int] = set()


class Raw(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    grid: Any


@dataclasses.dataclass
class Point:
    x: int


class Endless:
    def tolist(self) -> "Endless":
        return self


class Rude:
    def tolist(self) -> None:
        raise ZeroDivisionError


def body_of(result: Any) -> Any:
    answer = answer_of(result)
    assert answer.status == 200
    assert answer.content_type == "application/json"
    return orjson.loads(answer.body)


@pytest.mark.parametrize(
    "response", [text("x", status=418), json({}), HTTPResponse(status=204)]
)
def test_a_response_is_left_as_it_is(response: HTTPResponse) -> None:
    response.headers["x-own"] = "1"

    answer = answer_of(response)

    assert answer.status == response.status
    assert answer.body == (response.body or b"")
    assert dict(answer.fields) == {"x-own": "1"}
    if response.content_type:
        assert answer.content_type == response.content_type


@pytest.mark.parametrize(
    "result", [b"\x00\xff", bytearray(b"\x00\xff"), memoryview(b"\x00-\xff-")[::2]]
)
def test_bytes_of_every_kind_are_the_body(result: Any) -> None:
    answer = answer_of(result)

    assert answer.body == b"\x00\xff"
    assert answer.content_type == "application/octet-stream"


def test_text_is_the_body_in_utf_8() -> None:
    answer = answer_of("grün")

    assert answer.body == "grün".encode()
    assert answer.content_type == "text/plain; charset=utf-8"


@given(VALUES.filter(lambda value: not isinstance(value, str)))
def test_json_values_come_back_as_they_were(value: Any) -> None:
    assert body_of(value) == value


@pytest.mark.parametrize(
    ("result", "value"),
    [
        (np.float32(0.5), 0.5),
        (np.float64(2), 2.0),
        (np.int8(-3), -3),
        (np.bool_(1), True),
        (np.float16(0.25), 0.25),
        (np.arange(3), [0, 1, 2]),
        (np.arange(6).reshape(2, 3).T, [[0, 3], [1, 4], [2, 5]]),
        (np.arange(6)[::-2], [5, 3, 1]),
        (np.array(7), 7),
        (np.array([], dtype=float), []),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([None, "a"], dtype=object), [None, "a"]),
        (np.array([1, 2], dtype=">i4"), [1, 2]),
        (np.array([1, 2], dtype="<i4"), [1, 2]),
        ({"a": [np.arange(2)[::-1]]}, {"a": [[1, 0]]}),
    ],
)
def test_numbers_and_arrays_of_numpy_are_json(result: Any, value: Any) -> None:
    assert body_of(result) == value


@pytest.mark.parametrize(
    ("result", "value"),
    [
        ((1, 2), [1, 2]),
        ({1: "a", None: "b", False: "c"}, {"1": "a", "null": "b", "false": "c"}),
        (float("nan"), None),
        ([float("inf"), np.float32("nan")], [None, None]),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (uuid.UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        (Point(1), {"x": 1}),
        (Price(amount=Decimal("1.10"), seen={1}), {"amount": "1.10", "seen": [1]}),
        ([Price(amount=Decimal(1))], [{"amount": "1", "seen": []}]),
        ({"p": Raw(grid=np.eye(2)[:, 0])}, {"p": {"grid": [1.0, 0.0]}}),
        (Raw(grid=Raw(grid=[np.int64(1)])), {"grid": {"grid": [1]}}),
    ],
)
def test_what_people_return_is_json(result: Any, value: Any) -> None:
    assert body_of(result) == value


@pytest.mark.parametrize(
    "result",
    [
        {1, 2},
        object(),
        1j,
        2**64,
        [np.complex64(1)],
        {(1, 2): 3},
        {"a": "\ud800"},
        Endless(),
        Rude(),
        Price,
        Raw(grid=object()),
        ValueError("no"),
    ],
)
def test_what_has_no_json_form_is_told_by_its_kind(result: Any) -> None:
    with pytest.raises(NotJSONError) as caught:
        answer_of(result)

    message = str(caught.value)
    kind = type(result).__name__
    assert message.startswith(f"`predict` returned a {kind} that cannot be written")
    assert "\n" not in message


def test_what_contains_itself_has_no_json_form() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(NotJSONError):
        answer_of(endless)


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": pd.Categorical(["rose", None]),
            "seen": pd.to_datetime(["2026-01-02T03:04:05", None]),
            "petals": pd.array([5, None], dtype="Int64"),
            "size": np.array([1.5, np.nan], dtype="float32"),
        }
    )


ROWS = [
    {"name": "rose", "seen": "2026-01-02T03:04:05", "petals": 5, "size": 1.5},
    {"name": None, "seen": None, "petals": None, "size": None},
]


@pytest.mark.parametrize(
    ("result", "value"),
    [
        (table(), ROWS),
        ({"rows": table(), "count": np.int64(2)}, {"rows": ROWS, "count": 2}),
        (table().set_index("petals")[["size"]], [{"size": 1.5}, {"size": None}]),
        (pd.DataFrame([[1, 2]], columns=[0, 1]), [{"0": 1, "1": 2}]),
        (pd.DataFrame(), []),
        (table()["seen"], ["2026-01-02T03:04:05", None]),
        (table()["petals"], [5, None]),
        (table()["name"], ["rose", None]),
        (pd.Series([1.5, float("inf")]), [1.5, None]),
        (pd.Index(["a", "b"]), ["a", "b"]),
        (pd.Timestamp("2026-01-02", tz="UTC"), "2026-01-02T00:00:00+00:00"),
        (pd.NaT, None),
    ],
)
def test_tables_of_pandas_are_rows_and_columns_are_lists(
    result: Any, value: Any
) -> None:
    answer = answer_of(result)

    assert answer is not None
    assert (answer.content_type, orjson.loads(answer.body)) == (
        "application/json",
        value,
    )
