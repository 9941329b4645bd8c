from typing import Any

import numpy as np
import pydantic
import pytest

from cortex_server.worker.schema import SchemaError, schema_of


class Flower(pydantic.BaseModel):
    petals: int = pydantic.Field(alias="petal count")


def test_a_payload_has_the_names_that_a_client_writes() -> None:
    schema = schema_of(Flower, is_input=True)

    assert list(schema["properties"]) == ["petal count"]


def test_a_result_has_the_names_under_which_it_is_written() -> None:
    schema = schema_of(Flower, is_input=False)

    assert list(schema["properties"]) == ["petals"]


def test_an_array_is_a_list() -> None:
    assert schema_of(list[np.ndarray], is_input=True)["items"]["type"] == "array"


def test_references_go_where_they_are_wanted() -> None:
    schema = schema_of(list[Flower], is_input=True, refs="#/here/{model}")

    assert schema["items"] == {"$ref": "#/here/Flower"}


@pytest.mark.parametrize("hint", [object(), type("Own", (), {}), "Unknown"])
def test_a_type_without_a_schema_says_so(hint: Any) -> None:
    with pytest.raises(SchemaError):
        schema_of(hint, is_input=True)
