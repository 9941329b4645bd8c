"""The JSON schema of a type hint."""

from typing import Any

from pydantic import PydanticUserError, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUndefinedAnnotation
from pydantic.json_schema import DEFAULT_REF_TEMPLATE, JsonSchemaMode
from pydantic_core import SchemaError as CoreSchemaError

from cortex_server.worker.checkable import checkable


class SchemaError(ValueError):
    """A type without a JSON schema; the message is the reason."""


def schema_of(
    hint: Any,  # noqa: ANN401  # a type hint
    *,
    is_input: bool,
    refs: str = DEFAULT_REF_TEMPLATE,
) -> dict[str, Any]:
    """The schema of what a type takes, or of what its values are written as.

    Raises:
        SchemaError: It has none.
    """
    mode: JsonSchemaMode = "validation" if is_input else "serialization"
    try:
        # Results are written under the names of their fields.
        return TypeAdapter[Any](checkable(hint)).json_schema(
            mode=mode, by_alias=is_input, ref_template=refs
        )
    except (
        CoreSchemaError,
        PydanticInvalidForJsonSchema,
        PydanticUndefinedAnnotation,
        PydanticUserError,
    ) as error:
        raise SchemaError(str(error).splitlines()[0]) from None
