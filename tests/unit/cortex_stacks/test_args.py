from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cortex_stacks.args import (
    Blob,
    Cluster,
    Placement,
    Runtime,
    Scaling,
    SplitterArgs,
    SyncAPIArgs,
    Value,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    max_leaves=5,
)
OBJECTS = st.lists(st.dictionaries(st.text(), JSON, max_size=2), max_size=2).map(tuple)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


MANY = settings(max_examples=30)


def anything(kind: type[Value]) -> st.SearchStrategy[Value]:
    own = {Placement: {"tolerations": OBJECTS, "topology_spread": OBJECTS}}
    given = own.get(kind, {})
    names = {each.name for each in fields(kind) if each.name not in given}
    return st.builds(kind, **given, **dict.fromkeys(names, ...))


st.register_type_strategy(float, NUMBERS)
for part in (Blob, Placement, Runtime, Scaling):
    st.register_type_strategy(part, anything(part))


@pytest.mark.parametrize("kind", [SyncAPIArgs, SplitterArgs, Cluster])
@MANY
@given(data=st.data())
def test_every_value_comes_back_from_json(
    kind: type[Value], data: st.DataObject
) -> None:
    value = data.draw(anything(kind))

    again = kind.from_json(value.to_json())

    assert again == value
    assert again.to_json() == value.to_json()


def test_what_is_secret_is_not_shown() -> None:
    runtime = Runtime(image="x", index_url="https://me:sesame@index.example/simple")

    assert "sesame" not in repr(runtime)


def test_another_text_is_an_error() -> None:
    with pytest.raises(ValueError, match="url"):
        Blob.from_json('{"name": "a", "digest": "b", "url": 1}')
