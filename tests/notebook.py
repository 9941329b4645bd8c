"""A notebook cell with one of everything that a class can refer to."""

CELL = """
import re
import numpy as np
from enum import Enum
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import lru_cache, partial, wraps
from typing import Annotated, Generic, NamedTuple, Protocol, TypedDict, TypeVar
from pydantic import BaseModel, Field, field_validator, model_validator

T = TypeVar("T")
LABELS = {"setosa", "versicolor", "virginica"}
LENGTHS = {label: len(label) for label in LABELS}
FROZEN = frozenset({("a", 1), ("b", 2), ("c", None)})
WEIGHTS = np.arange(12.0).reshape(3, 4)[::2]
TABLE = np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "i1"), ("b", "f8")])
PATTERN = re.compile("a+")

class Color(Enum):
    RED = "red"
    BLUE = "blue"

class Item(BaseModel):
    x: Annotated[float, Field(gt=0)]
    color: Color = Color.RED
    tags: set[str] = {"a", "b", "c"}

    @field_validator("x")
    @classmethod
    def _round(cls, value): return round(value)

    @model_validator(mode="after")
    def _check(self): return self

@dataclass
class Point:
    x: int
    labels: list[str] = field(default_factory=list)

class Pair(NamedTuple):
    left: int
    right: str = "r"

class Named(TypedDict):
    name: str

class Model(Protocol):
    def predict(self) -> int: ...

class Base(ABC, Generic[T]):
    @abstractmethod
    def predict(self, payload): ...

@lru_cache(maxsize=8)
def cached(number): return number * 2

def traced(function):
    @wraps(function)
    def wrapper(*args, **kwargs): return function(*args, **kwargs)
    return wrapper

def even(number): return number == 0 or odd(number - 1)
def odd(number): return number != 0 and even(number - 1)

class Node:
    def __init__(self): self.others = {self}
NODE = Node()

class Iris(Base[int]):
    __slots__ = ("model",)
    KINDS = {"b", "a", "c"}

    def __init__(self, config):
        self.model = (Point(1), Pair(1), Named(name="n"), Model, PATTERN, NODE)

    @traced
    def predict(self, payload: Item) -> list[int]:
        if payload.color in {"x", "y", "z"} or even(3):
            return [LENGTHS[label] + cached(2) for label in LABELS]
        return [WEIGHTS.sum(), TABLE, FROZEN, partial(cached, 3)]

    @property
    def size(self): return super().__sizeof__()

    @staticmethod
    def inner(x: int | None = None, *, y: "str" = "y"):
        return lambda z: [x for _ in range(z)]
"""
