import copy
import os
import pickle
import subprocess
import sys
import types
from collections import Counter, OrderedDict, defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notebook import CELL
from sklearn.tree import DecisionTreeClassifier

from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.project.identity import identity_of


def run(cell: str, **variables: object) -> dict[str, Any]:
    """The namespace of a notebook after a cell has run in it."""
    scope: dict[str, Any] = {"__name__": "__main__", **variables}
    exec(compile(cell, f"/tmp/cell-{id(scope)}.py", "exec"), scope)
    return scope


def identity(cell: str, **variables: object) -> str:
    return identity_of(run(cell, **variables)["Iris"])


def of_data(value: object) -> str:
    return identity("class Iris:\n  def predict(self): return DATA", DATA=value)


def of_body(statement: str, before: str = "") -> str:
    return identity(f"{before}\nclass Iris:\n  def predict(self):\n    {statement}")


def in_new_process(cell: str, seed: int) -> str:
    ask = (
        "from cortex_sdk.project.identity import identity_of\nprint(identity_of(Iris))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{cell}\n{ask}"],
        env=os.environ | {"PYTHONHASHSEED": str(seed)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_cell_has_the_same_identity_in_every_process() -> None:
    identities = {in_new_process(CELL, seed) for seed in (0, 1, 2, 3)}

    assert len(identities) == 1


def test_a_cell_that_runs_again_has_the_same_identity() -> None:
    assert identity(CELL) == identity(CELL)


def test_blank_lines_and_comments_do_not_count() -> None:
    moved = CELL.replace("\n", "\n\n# a comment\n", 1)

    assert identity(moved) == identity(CELL)


def test_the_identity_is_64_hex_digits() -> None:
    assert len(bytes.fromhex(of_data(None))) == 32


CHANGES = [
    ("setosa", "Setosa"),
    ("len(label)", "len(label) + 1"),
    ('("b", 2)', '("b", 3)'),
    ("np.arange(12.0)", "np.arange(12)"),
    ("[::2]", "[::-2]"),
    ("(3, 4.5)]", "(3, 4.25)]"),
    ('("a", "i1")', '("a", "i2")'),
    ('"a+"', '"a*"'),
    ('RED = "red"', 'RED = "RED"'),
    ("gt=0", "gt=1"),
    ("= Color.RED", "= Color.BLUE"),
    ("x: Annotated[float", "x: Annotated[int"),
    ('{"a", "b", "c"}\n\n    @field', '{"a", "b"}\n\n    @field'),
    ("return round(value)", "return round(value, 1)"),
    ('field_validator("x")', 'field_validator("x", mode="before")'),
    ("def _check(self): return self", "def _check(self): pass"),
    ("    x: int\n", "    x: float\n"),
    ("default_factory=list", "default_factory=set"),
    ('right: str = "r"', 'right: str = "R"'),
    ("    name: str", "    title: str"),
    ("maxsize=8", "maxsize=9"),
    ("number * 2", "number * 3"),
    ("return function(*args", "return not function(*args"),
    ("number != 0", "number > 0"),
    ("Base[int]", "Base[str]"),
    ('("model",)', '("model", "other")'),
    ('KINDS = {"b", "a", "c"}', 'KINDS = {"b", "a"}'),
    ("Point(1)", "Point(2)"),
    ('{"x", "y", "z"}', '{"x", "y"}'),
    ("-> list[int]", "-> list[float]"),
    ("super().__sizeof__()", "super().__hash__()"),
    ("int | None = None", "int | None = 0"),
    ("int | None = None", "int = None"),
    ('y: "str" = "y"', 'y: "str" = "n"'),
    ("[x for _", "[z for _"),
    ("@abstractmethod\n", "\n"),
    ("partial(cached, 3)", "partial(cached, 4)"),
    ("    @traced\n", ""),
    ("self.others = {self}", "self.others = {self, None}"),
]


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_a_change_of_code_or_data_is_another_identity(old: str, new: str) -> None:
    assert CELL.count(old) >= 1

    assert identity(CELL.replace(old, new)) != identity(CELL)


def test_the_order_of_fields_counts() -> None:
    one = (
        "from dataclasses import dataclass\n@dataclass\nclass Iris:\n  a: int\n  b: int"
    )

    assert identity(one) != identity(one.replace("a: int\n  b", "b: int\n  a"))


def test_the_order_of_methods_does_not_count() -> None:
    one = "class Iris:\n  def a(self): ...\n  def b(self): ..."
    two = "class Iris:\n  def b(self): ...\n  def a(self): ..."

    assert identity(one) == identity(two)


def test_a_global_that_nobody_uses_does_not_count() -> None:
    assert of_body("return 1", "OTHER = 1") == of_body("return 1", "OTHER = 2")


def test_an_attribute_named_like_a_global_does_not_refer_to_it() -> None:
    one = of_body("return self.model", "model = 1")

    assert one == of_body("return self.model", "model = 2")


def test_a_global_counts_where_it_is_used() -> None:
    assert of_body("return model", "model = 1") != of_body("return model", "model = 2")


def test_a_global_of_a_function_in_a_function_counts() -> None:
    body = "return lambda: [(lambda: FACTOR)() for _ in range(2)]"

    assert of_body(body, "FACTOR = 1") != of_body(body, "FACTOR = 2")


def test_a_global_that_comes_to_be_is_a_change() -> None:
    assert of_body("return later") != of_body("return later", "later = 1")


def test_a_closure_counts() -> None:
    cell = """
def make(factor):
    def predict(self, payload): return factor * payload
    return predict
class Iris:
    predict = make({})
"""
    assert identity(cell.format(1)) == identity(cell.format(1))
    assert identity(cell.format(1)) != identity(cell.format(2))


def test_a_module_counts_by_its_name() -> None:
    one = of_body("return lib.x", "import json as lib")

    assert one == of_body("return lib.x", "import json as lib")
    assert one != of_body("return lib.x", "import csv as lib")


def test_a_function_of_a_module_counts_by_its_name() -> None:
    one = of_body("return f(1)", "from json import dumps as f")

    assert one != of_body("return f(1)", "from json import loads as f")


def test_a_method_of_an_object_counts_with_the_object() -> None:
    one = of_body("return join([])", "join = 'a'.join")

    assert one == of_body("return join([])", "join = 'a'.join")
    assert one != of_body("return join([])", "join = 'b'.join")


def test_text_and_bytes_and_numbers_of_equal_value_differ() -> None:
    values = [1, 1.0, True, "1", b"1", 1 + 0j, (1,), [1], {1}, frozenset({1}), {1: 1}]

    assert len({of_data(value) for value in values}) == len(values)


def test_zeros_of_different_sign_differ_and_a_nan_is_itself() -> None:
    assert of_data(0.0) != of_data(-0.0)
    assert of_data(float("nan")) == of_data(float("nan"))


def test_a_boundary_between_values_counts() -> None:
    assert of_data(["ab", "c"]) != of_data(["a", "bc"])
    assert of_data([[1], 2]) != of_data([[1, 2]])
    assert of_data(["str 1 a"]) != of_data(["str 1 astr 1 a"])


def test_the_order_of_a_dict_does_not_count_unless_it_is_an_ordered_one() -> None:
    assert of_data({"a": 1, "b": 2}) == of_data({"b": 2, "a": 1})
    assert of_data(Counter("ab")) == of_data(Counter("ba"))
    assert of_data(OrderedDict(a=1, b=2)) != of_data(OrderedDict(b=2, a=1))


def test_a_default_factory_counts() -> None:
    assert of_data(defaultdict(int, a=1)) != of_data(defaultdict(list, a=1))


class Cyclic:
    def __init__(self, value: object) -> None:
        self.value, self.itself, self.friends = value, self, {self}


def test_cycles_end() -> None:
    loop: list[object] = [1]
    loop.append((loop, {"loop": loop}))
    other: list[object] = [2]
    other.append((other, {"loop": other}))

    assert of_data(loop) == of_data(copy.deepcopy(loop)) != of_data(other)
    assert of_data(Cyclic(1)) == of_data(Cyclic(1)) != of_data(Cyclic(2))


def test_friends_in_sets_of_each_other_end() -> None:
    def circle(size: int) -> set[Cyclic]:
        members = {Cyclic(number) for number in range(size)}
        for member in members:
            member.friends = members
        return members

    assert of_data(circle(4)) == of_data(circle(4)) != of_data(circle(5))


ARRAYS = [
    np.zeros(0),
    np.zeros((0, 3)),
    np.array(5),
    np.arange(6),
    np.arange(6.0),
    np.arange(6).reshape(2, 3),
    np.asfortranarray(np.arange(6).reshape(3, 2)),
    np.arange(12)[::2].astype(">i4"),
    np.array(["a", "bc"]),
    np.array([None, {"a": 1}], dtype=object),
    np.array(["2024-01-01"], dtype="datetime64[D]"),
    np.zeros(3, dtype=[("a", "i1"), ("b", "f8")]),
    np.array([b"", b""], dtype="S0"),
    np.float64(1.5),
    np.random.default_rng(1),
    np.ma.masked_array([1, 2], mask=[True, False]),
]


def test_arrays_differ_by_type_shape_and_content() -> None:
    identities = [of_data(array) for array in ARRAYS]

    assert len(set(identities)) == len(ARRAYS)
    assert identities == [of_data(copy.deepcopy(array)) for array in ARRAYS]


def test_the_layout_of_an_array_in_memory_does_not_count() -> None:
    array = np.arange(12).reshape(3, 4)

    assert of_data(array) == of_data(np.asfortranarray(array))
    assert of_data(array[:, ::2]) == of_data(array[:, ::2].copy())


def test_garbage_between_the_fields_of_an_array_does_not_count() -> None:
    kind = np.dtype([("a", "i1"), ("b", "f8")], align=True)
    clean, dirty = np.zeros(2, kind), np.zeros(2, kind)
    dirty.view("u1")[1] = 255

    assert of_data(clean) == of_data(dirty)


def test_a_fitted_model_counts_by_what_it_learned() -> None:
    def fit(labels: list[int]) -> DecisionTreeClassifier:
        return DecisionTreeClassifier(random_state=0).fit([[0], [1], [2]], labels)

    assert of_data(fit([0, 1, 1])) == of_data(fit([0, 1, 1]))
    assert of_data(fit([0, 1, 1])) != of_data(fit([0, 0, 1]))


def test_taking_an_identity_changes_nothing() -> None:
    scope = run(CELL)
    before = pickle.dumps(sorted(scope["LENGTHS"].items()))

    identity_of(scope["Iris"])

    assert pickle.dumps(sorted(scope["LENGTHS"].items())) == before
    assert identity_of(scope["Iris"]) == identity(CELL)


HASHABLE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)
DATA = st.recursive(
    HASHABLE | st.floats() | st.complex_numbers() | st.sets(HASHABLE, max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(HASHABLE, inner, max_size=4)
        | st.builds(types.SimpleNamespace, a=inner, b=inner)
    ),
    max_leaves=12,
)


@given(DATA)
def test_a_copy_has_the_same_identity(value: object) -> None:
    assert of_data(pickle.loads(pickle.dumps(value))) == of_data(value)


@given(HASHABLE, HASHABLE)
def test_different_values_have_different_identities(one: object, two: object) -> None:
    # `repr` tells 1 from True, which `==` does not.
    same = one == two and normal(one) == normal(two)

    assert (of_data([one]) == of_data([two])) == same


def normal(value: object) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(normal, value))})"
    if isinstance(value, frozenset):
        return f"{{{', '.join(sorted(map(normal, value)))}}}"
    return repr(value)


@given(st.lists(HASHABLE, min_size=1, max_size=5, unique=True), st.randoms())
def test_the_order_in_which_a_set_was_filled_does_not_count(
    values: list[object], random: Any
) -> None:
    mixed = random.sample(values, len(values))

    assert of_data(set(values)) == of_data(set(mixed))
    assert of_data(dict.fromkeys(values)) == of_data(dict.fromkeys(mixed))


@settings(max_examples=3, deadline=None)
@given(st.dictionaries(st.text(max_size=3), st.sets(st.text(max_size=3))))
def test_data_has_the_same_identity_under_every_hash_seed(data: dict[str, Any]) -> None:
    cell = f"DATA = {data!r}\nclass Iris:\n  def predict(self): return DATA"

    assert in_new_process(cell, 1) == in_new_process(cell, 2)


def refusal(cell: str) -> str:
    with pytest.raises(InvalidSpecError) as caught:
        identity(cell)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_cannot_be_taken_apart_is_refused() -> None:
    cell = (
        "import threading\nlock = threading.Lock()\n"
        "class Iris:\n  def predict(self): return lock"
    )

    assert refusal(cell) == (
        "`Iris` refers to something that cannot go along with it (cannot pickle"
        " '_thread.lock' object); create it in `__init__`, or move the class to a"
        " Python file"
    )


def test_an_error_of_an_object_that_takes_itself_apart_is_a_sentence() -> None:
    cell = (
        "class Odd:\n  def __reduce_ex__(self, _): raise RuntimeError('no\\nway')\n"
        "odd = Odd()\nclass Iris:\n  def predict(self): return odd"
    )

    assert "cannot go along with it (no);" in refusal(cell)


def test_an_object_that_pickles_as_a_name_of_the_notebook_is_refused() -> None:
    cell = (
        "class Odd:\n  def __reduce__(self): return 'odd'\n"
        "odd = Odd()\nclass Iris:\n  def predict(self): return odd"
    )

    assert "(`odd` is known by its name only)" in refusal(cell)


def test_data_that_is_too_deep_is_refused() -> None:
    cell = (
        "deep = []\nfor _ in range(100_000): deep = [deep]\n"
        "class Iris:\n  def predict(self): return deep"
    )

    assert "maximum recursion depth" in refusal(cell)
