import datetime as dt
import enum
import uuid
from typing import Annotated, Any, Literal

import pydantic
import pytest
from pydantic import Field, TypeAdapter

from cortex_server.worker.openapi.example import NoExampleError, example_of


class Kind(enum.Enum):
    FLAT = "flat"


class House(pydantic.BaseModel):
    area: float = Field(gt=0)
    rooms: int = Field(default=3, ge=1)
    kind: Kind | None = None


class Tree(pydantic.BaseModel):
    leaves: "list[Tree]"


class Chain(pydantic.BaseModel):
    next: "Chain | None"


def example(hint: Any) -> Any:
    schema = TypeAdapter(hint).json_schema()
    return example_of(schema, schema.get("$defs", {}))


@pytest.mark.parametrize(
    "hint",
    [
        int,
        float,
        bool,
        str,
        None,
        Any,
        list[float],
        list[list[int]],
        dict[str, list[int]],
        tuple[int, str],
        House,
        list[House],
        Chain,
        Literal["a", 1],
        int | str,
        dt.datetime,
        dt.date,
        uuid.UUID,
        pydantic.AnyUrl,
        Annotated[int, Field(ge=5)],
        Annotated[int, Field(gt=5)],
        Annotated[int, Field(lt=-5)],
        Annotated[float, Field(gt=0.2, lt=0.4)],
        Annotated[int, Field(multiple_of=7, gt=7)],
        Annotated[list[int], Field(min_length=3)],
        Annotated[list[int], Field(max_length=0)],
        Annotated[str, Field(min_length=20)],
        Annotated[str, Field(max_length=2)],
    ],
)
def test_an_example_is_of_the_type(hint: Any) -> None:
    TypeAdapter(hint).validate_python(example(hint))


def test_the_users_own_examples_come_first() -> None:
    assert example(Annotated[int, Field(examples=[42])]) == 42
    assert example(House)["rooms"] == 3


def test_what_has_no_end_has_no_example() -> None:
    schema = {"$ref": "#/x"}

    with pytest.raises(NoExampleError):
        example_of(schema, {"x": {"allOf": [schema]}})
    TypeAdapter(Tree).validate_python(example(Tree))
