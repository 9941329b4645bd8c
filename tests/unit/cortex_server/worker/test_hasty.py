import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from cortex_server.worker.call import Call
from cortex_server.worker.hasty import hasty
from cortex_server.worker.payloads import decoder_for
from cortex_server.worker.problems import Problem

MANY = 200_000


class Inner(BaseModel):
    type: Literal["list"] = "list"
    values: list[float]
    default: list[int] = Field(default=[1])


class Outer(BaseModel):
    inner: Inner
    children: "list[Outer]" = []


@dataclass
class Plain:
    names: dict[str, int]


def decode(hint: Any, payload: Any) -> Any:
    fields = [(b"content-type", b"application/json")]
    return decoder_for(hint)(Call(orjson.dumps(payload), b"", fields))


def seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


@pytest.mark.parametrize(
    ("hint", "make"),
    [
        (list[float], lambda item: [item] * MANY),
        (set[float] | None, lambda item: [item] * MANY),
        (tuple[float, ...], lambda item: [item] * MANY),
        (dict[str, float], lambda item: {str(n): item for n in range(MANY)}),
        (list[list[float]], lambda item: [[item] * MANY]),
        (Inner, lambda item: {"values": [item] * MANY}),
        (Outer, lambda item: {"inner": {"values": [item] * MANY}}),
        (Plain, lambda item: {"names": {str(n): item for n in range(MANY)}}),
    ],
)
def test_many_wrong_items_take_no_longer_than_right_ones(
    hint: Any, make: Callable[[object], Any]
) -> None:
    right, wrong = make(1), make("x")

    def refuse() -> None:
        with pytest.raises(Problem) as caught:
            decode(hint, wrong)
        assert caught.value.status == 422
        assert caught.value.errors is not None
        assert len(caught.value.errors) <= 2

    assert seconds(refuse) <= 3 * seconds(lambda: decode(hint, right)) + 0.05


def test_few_wrong_items_are_all_told() -> None:
    with pytest.raises(Problem) as caught:
        decode(list[float], ["x", 1, "y"])

    assert caught.value.errors is not None
    assert [error["pointer"] for error in caught.value.errors] == ["#/0", "#/2"]


@pytest.mark.parametrize(
    ("hint", "payload"),
    [
        (Inner, {"values": [1]}),
        (Outer, {"inner": {"values": []}, "children": [{"inner": {"values": [2]}}]}),
        (Plain, {"names": {"a": 1}}),
        (list[int] | list[str], ["a"]),
        (dict[str, tuple[int, str]], {"a": [1, "b"]}),
    ],
)
def test_what_is_right_is_the_same_in_haste(hint: Any, payload: Any) -> None:
    adapter, body = TypeAdapter(hint), orjson.dumps(payload)

    assert hasty(adapter)(body) == adapter.validate_json(body)


def test_values_of_the_user_in_a_schema_are_left_alone() -> None:
    first = hasty(TypeAdapter(Inner))(b'{"values": []}')

    assert first.default == [1]
    assert first.type == "list"


def test_another_version_of_pydantic_is_slower_and_no_less_right(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise TypeError

    monkeypatch.setattr("pydantic_core.SchemaValidator", refuses)

    with pytest.raises(ValidationError) as caught:
        hasty(TypeAdapter(list[int]))(b'["x", "y"]')
    assert caught.value.error_count() == 2
