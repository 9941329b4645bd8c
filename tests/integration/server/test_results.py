import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from integration.server.replica import Replica, running

SOURCE = """
import datetime, decimal, enum, uuid
import numpy as np
import pydantic
import sanic
from sanic.exceptions import SanicException

class Flower(pydantic.BaseModel):
    name: str
    price: decimal.Decimal
    seen: set[int]
    grid: pydantic.SkipValidation[object] = None

WHEN = datetime.datetime(2026, 1, 2, 3, 4, 5)
RESULTS = {
    "bytes": lambda: b"\\x00\\xff",
    "memory": lambda: memoryview(b"abcdef")[::2],
    "text": lambda: "gr\\u00fcn",
    "empty text": lambda: "",
    "nothing": lambda: None,
    "json": lambda: {"a": [1, 2.5, True, None, "x"]},
    "nan": lambda: [float("nan"), float("inf")],
    "int keys": lambda: {1: "one", 2: "two"},
    "scalar": lambda: np.float32(1.5),
    "int scalars": lambda: [np.int64(1), np.bool_(True), np.float16(0.5)],
    "array": lambda: np.arange(4.0).reshape(2, 2),
    "columns": lambda: np.arange(6).reshape(2, 3).T,
    "every other": lambda: {"a": np.arange(6)[::2]},
    "zero-dimensional": lambda: np.array(3),
    "strings": lambda: np.array(["a", "b"]),
    "model": lambda: Flower(name="iris", price="1.20", seen={3}),
    "model of arrays": lambda: [
        Flower(name="iris", price="0.10", seen=set(), grid=np.arange(4)[::2])
    ],
    "standard types": lambda: [WHEN, uuid.UUID(int=1), enum.Enum("E", {"A": "a"}).A],
    "response": lambda: sanic.response.text(
        "teapot", status=418, headers={"x-mine": "yes"}
    ),
    "no content": lambda: sanic.response.empty(),
    "raised": lambda: fail(SanicException("no such flower", status_code=404)),
    "set": lambda: {1, 2},
    "object": lambda: object(),
    "long integer": lambda: 2**70,
    "endless": lambda: endless(),
}

def endless():
    endless = []
    endless.append(endless)
    return endless

def fail(error):
    raise error

class P:
    def predict(self, payload: str):
        return RESULTS[payload]()
"""


@pytest.fixture(scope="module", params=[1, 2], ids=["one process", "two"])
def replica(request: pytest.FixtureRequest) -> Iterator[Replica]:
    with running(SOURCE, processes_per_replica=request.param) as replica:
        yield replica


@pytest.mark.parametrize(
    ("result", "kind", "content"),
    [
        ("bytes", "application/octet-stream", b"\x00\xff"),
        ("memory", "application/octet-stream", b"ace"),
        ("text", "text/plain; charset=utf-8", "grün".encode()),
        ("empty text", "text/plain; charset=utf-8", b""),
    ],
)
def test_bytes_and_text_are_answered_as_they_are(
    replica: Replica, result: str, kind: str, content: bytes
) -> None:
    response = replica.client.post("/", content=result)

    assert response.status_code == 200
    assert response.headers["content-type"] == kind
    assert response.content == content


@pytest.mark.parametrize(
    ("result", "value"),
    [
        ("nothing", None),
        ("json", {"a": [1, 2.5, True, None, "x"]}),
        ("nan", [None, None]),
        ("int keys", {"1": "one", "2": "two"}),
        ("scalar", 1.5),
        ("int scalars", [1, True, 0.5]),
        ("array", [[0.0, 1.0], [2.0, 3.0]]),
        ("columns", [[0, 3], [1, 4], [2, 5]]),
        ("every other", {"a": [0, 2, 4]}),
        ("zero-dimensional", 3),
        ("strings", ["a", "b"]),
        ("model", {"name": "iris", "price": "1.20", "seen": [3], "grid": None}),
        (
            "model of arrays",
            [{"name": "iris", "price": "0.10", "seen": [], "grid": [0, 2]}],
        ),
        (
            "standard types",
            ["2026-01-02T03:04:05", "00000000-0000-0000-0000-000000000001", "a"],
        ),
    ],
)
def test_other_values_are_answered_as_json(
    replica: Replica, result: str, value: Any
) -> None:
    response = replica.client.post("/", content=result)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == value


@pytest.mark.parametrize("result", ["set", "object", "long integer", "endless"])
def test_what_has_no_json_form_is_a_500_and_one_line_in_the_log(
    replica: Replica, result: str
) -> None:
    headers = {"x-request-id": f"not-{result.replace(' ', '-')}"}

    response = replica.client.post("/", content=result, headers=headers)

    assert response.status_code == 500
    assert "cannot be written as JSON" in response.json()["detail"]
    line = replica.logged(request_id=headers["x-request-id"])
    assert line["event"].startswith("`predict` returned a")


def test_a_response_of_sanic_goes_out_with_its_status_and_headers(
    replica: Replica,
) -> None:
    response = replica.client.post("/", content="response")

    assert (response.status_code, response.text) == (418, "teapot")
    assert response.headers["x-mine"] == "yes"
    assert response.headers["x-request-id"]


def test_a_response_without_a_body_leaves_the_connection_usable(
    replica: Replica,
) -> None:
    codes = [
        replica.client.post("/", content=result).status_code
        for result in ("no content", "json")
    ]

    assert codes == [204, 200]


def test_an_exception_of_sanic_is_answered_with_its_status(replica: Replica) -> None:
    response = replica.client.post("/", content="raised")

    assert response.status_code == 404
    assert response.json()["detail"] == "no such flower"


def test_every_request_has_an_id_of_its_own_unless_it_brings_one(
    replica: Replica,
) -> None:
    ids = [
        replica.client.post("/", content="json").headers["x-request-id"]
        for _ in range(3)
    ]

    assert all(a != b for a, b in itertools.combinations(ids, 2))


@pytest.mark.parametrize("given", ["0042", "ABCDEF00-0000-0000-0000-00000000000A"])
def test_an_id_is_taken_over_as_it_came(replica: Replica, given: str) -> None:
    headers = {"x-request-id": given}

    response = replica.client.post("/", content="json", headers=headers)

    assert response.headers["x-request-id"] == given


@pytest.mark.parametrize("given", [b"\xff\xfe", b"two words", b"", b"x" * 201])
def test_an_id_that_fits_no_header_or_log_is_replaced(
    replica: Replica, given: bytes
) -> None:
    headers = [(b"x-request-id", given)]

    response = replica.client.post("/", content="set", headers=headers)

    new = response.json()["request_id"]
    assert new.encode() != given
    assert response.headers["x-request-id"] == new
    assert replica.logged(request_id=new)
