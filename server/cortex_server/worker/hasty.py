"""Checking of large payloads, which stops at the first wrong item of a list or dict.

A million wrong items would be a million explanations: seconds of processor time and
gigabytes of memory for one request, which nobody reads.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # takes long, and not every predictor declares a type
    from pydantic import TypeAdapter

_CONTAINERS = frozenset(("dict", "frozenset", "list", "set", "tuple"))
_OF_THE_USER = frozenset(("default", "expected", "metadata", "serialization"))
"""Parts of a schema that are values, not schemas."""


def hasty(adapter: "TypeAdapter[Any]") -> Callable[[bytes], Any]:
    """What checks JSON as an adapter does, and gives up early."""
    from pydantic_core import SchemaError, SchemaValidator  # noqa: PLC0415  # takes long

    schema: Any = _hurried(adapter.core_schema)
    try:
        # Else the validator that a model has already would be taken instead.
        return SchemaValidator(schema, _use_prebuilt=False).validate_json
    except (SchemaError, TypeError):  # of another version: slower, but no less right
        return adapter.validate_json


def _hurried(part: Any) -> Any:  # noqa: ANN401  # schemas are nested at will
    if isinstance(part, list):
        return [_hurried(one) for one in part]
    if isinstance(part, tuple):
        return tuple(_hurried(one) for one in part)
    if not isinstance(part, dict):
        return part
    kind = part.get("type")
    if not isinstance(kind, str):  # the fields of a model, by their names
        return {name: _hurried(one) for name, one in part.items()}
    schema = {
        name: one if name in _OF_THE_USER else _hurried(one)
        for name, one in part.items()
    }
    return schema | {"fail_fast": True} if kind in _CONTAINERS else schema
