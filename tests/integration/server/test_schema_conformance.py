"""Whatever fits the document, or nearly does, gets an answer that it describes."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from integration.conftest import free_port
from integration.server.replica import LIMIT, Replica, running
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = 25
INFER = "/v2/models/{}/infer".format
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
HEAD = """
import pydantic
import numpy as np
from typing import Annotated, Iterator, Literal, TypedDict
from pydantic import Field
"""
MODEL = """
class House(pydantic.BaseModel):
    area: float = Field(gt=0, le=1e6)
    rooms: int = Field(1, ge=0, le=40)
    kind: Literal["flat", "villa"] = "flat"
    tags: dict[str, list[str]] = {}
    owner: str | None = None

class P:
    def predict(self, payload: House) -> House:
        return payload
"""
PREDICTORS = {
    "model": MODEL,
    "floats": """
class P:
    def predict(self, payload: list[float]) -> float:
        return float(len(payload))
""",
    "text": """
class P:
    def predict(self, payload: str, query_params) -> str:
        return payload + str(dict(query_params))
""",
    "bytes": """
class P:
    def predict(self, payload: bytes) -> dict[str, int]:
        return {"bytes": len(payload)}
""",
    "untyped": """
class P:
    async def predict(self, payload):
        return {"type": type(payload).__name__}
""",
    "array": """
class P:
    def predict(self, payload: np.ndarray) -> np.ndarray:
        return payload
""",
    "fields": """
class Picture(TypedDict):
    pixels: np.ndarray
    gain: float

class P:
    def predict(self, payload: Picture) -> dict[str, int]:
        return {"pixels": payload["pixels"].size}
""",
    "stream": """
class P:
    def predict(self, payload: Annotated[int, Field(ge=0, le=50)]) -> Iterator[str]:
        for number in range(payload):
            yield str(number)
""",
    "nothing": """
class P:
    def predict(self) -> bool:
        return True
""",
}
# What they take is more, or less, than JSON Schema can tell: arrays are lists of equal
# length, text is what its charset allows, and without a type everything is taken.
LOOSE = {"array", "fields", "untyped", "text", "bytes"}
ANYTHING = {"untyped", "text", "bytes", "nothing"}
"""Of these no payload is wrong."""


@pytest.fixture(scope="module", params=PREDICTORS)
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, str, Replica]]:
    address = f"127.0.0.1:{free_port()}"
    source = HEAD + PREDICTORS[request.param]
    with running(source, ("--listen", address), name=request.param) as replica:
        replica.client = httpx.Client(base_url=f"http://{address}", timeout=LIMIT)
        yield request.param, f"http://{address}", replica


def _tried(strategy: st.SearchStrategy[Any], attempt: Any, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(case: Any) -> None:
        attempt(case)

    run()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_answer_is_one_that_the_document_describes(
    served: tuple[str, str, Replica], mode: GenerationMode
) -> None:
    name, url, replica = served
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    answered = set()

    with requests.Session() as session:
        for found in schema.get_all_operations():
            operation = found.ok()
            # Not the other way round: pydantic takes "1" for a number, and so do we.
            is_strict = operation.path == "/" and name not in LOOSE
            checks = [*CHECKS, *([positive_data_acceptance] if is_strict else [])]

            def attempt(case: Any, checks: list[Any] = checks) -> None:
                response = case.call(session=session, timeout=LIMIT)
                case.validate_response(response, checks=checks)
                answered.add(case.operation.label)

            strategy = operation.as_strategy(generation_mode=mode)
            # Of what takes anything, nothing can be wrong.
            with suppress(Unsatisfiable):
                _tried(strategy, attempt, EXAMPLES if operation.method == "post" else 2)

    assert is_answered(answered, name, mode)
    _is_idle(replica)


def is_answered(answered: set[str], name: str, mode: GenerationMode) -> bool:
    """Whether all that can be asked in this way has been asked."""
    if mode is GenerationMode.POSITIVE:
        return {"POST /", "GET /", "GET /v2", f"POST {INFER(name)}"} <= answered
    return f"POST {INFER(name)}" in answered and (
        name in ANYTHING or "POST /" in answered
    )


def _json(value: Any) -> bytes:
    return httpx.Request("POST", "http://x", json=value).content


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
KINDS = [
    *("application/json", "text/plain", "text/plain; charset=utf-16", ""),
    *("application/octet-stream", "application/x-www-form-urlencoded"),
    *("multipart/form-data; boundary=x", "multipart/form-data", "nonsense/;="),
]
BODIES = st.binary(max_size=200) | JSON.map(_json)
TENSOR = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["payload", "pixels", "gain", "area"]) | st.text(),
        "shape": st.lists(st.integers(-1, 3) | st.just(1 << 40), max_size=3) | JSON,
        "datatype": st.sampled_from(["FP32", "INT8", "BYTES", "BOOL", "BF16", "X"]),
    },
    optional={
        "data": st.lists(st.integers(0, 2), max_size=9) | JSON,
        "parameters": st.fixed_dictionaries(
            {"binary_data_size": st.integers(-1, 40) | JSON}
        )
        | JSON,
    },
)


def test_no_body_is_answered_by_a_failure(
    served: tuple[str, str, Replica],
) -> None:
    replica = served[2]

    def attempt(case: tuple[bytes, str]) -> None:
        body, kind = case
        headers = {"content-type": kind} if kind else {}
        answer = replica.client.post("/", content=body, headers=headers)
        assert answer.status_code < 500, answer.text
        if answer.status_code == 422:
            assert all("pointer" in one for one in answer.json()["errors"])

    _tried(st.tuples(BODIES, st.sampled_from(KINDS)), attempt, 100)

    _is_idle(replica)


WRONG = [
    ("area", -1),
    ("area", None),
    ("area", "wide"),
    ("rooms", 1.5),
    ("rooms", [1]),
    ("kind", "castle"),
    ("tags", {"a": 1}),
    ("owner", {}),
]


def test_a_wrong_field_is_named() -> None:
    with running(HEAD + MODEL) as replica:
        for field, value in WRONG:
            answer = replica.client.post("/", json={"area": 1, field: value})

            assert answer.status_code == 422
            assert f"#/{field}" in answer.json()["detail"]
            assert answer.json()["errors"][0]["pointer"].startswith(f"#/{field}")


def test_no_request_of_the_protocol_is_answered_by_a_failure(
    served: tuple[str, str, Replica],
) -> None:
    name, _, replica = served
    request = st.fixed_dictionaries(
        {"inputs": st.lists(TENSOR, max_size=2) | JSON},
        optional={
            "outputs": st.lists(st.fixed_dictionaries({"name": st.text()})) | JSON,
            "parameters": st.fixed_dictionaries({"binary_data_output": JSON}) | JSON,
        },
    )
    cases = st.tuples(
        request.map(_json) | BODIES, st.binary(max_size=40), st.booleans()
    )

    def attempt(case: tuple[bytes, bytes, bool]) -> None:
        body, binary, is_binary = case
        told = {"inference-header-content-length": str(len(body))} if is_binary else {}
        content = body + binary
        answer = replica.client.post(INFER(name), content=content, headers=told)
        assert answer.status_code < 500, answer.text
        if not answer.is_success:
            assert list(answer.json()) == ["error"]

    _tried(cases, attempt, 100)

    _is_idle(replica)


def _is_idle(replica: Replica) -> None:
    replica.wait_for_metric("cortex_in_flight_requests", 0)
    assert replica.metric("cortex_in_flight_requests") == 0
