"""A value that a JSON schema allows, for people to begin with."""

from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

_ITEMS = 8
_TEXTS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00",
    "duration": "PT1H",
    "email": "ada@example.com",
    "uuid": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "uri": "https://example.com",
    "ipv4": "127.0.0.1",
}
_DEPTH = 8


class NoExampleError(ValueError):
    """There is no simple value that the schema allows."""


def example_of(schema: Json, definitions: Json, depth: int = 0) -> Any:  # noqa: ANN401  # any JSON
    """The example or default that a schema has, or else the simplest value of its type.

    It may still break a rule that schemas do not tell, such as a check in Python.

    Raises:
        NoExampleError: It is too deep.
    """
    if depth > _DEPTH:
        raise NoExampleError
    given = _given(schema)
    if given:
        return given[0]
    if "$ref" in schema:
        target = definitions[schema["$ref"].rpartition("/")[2]]
        return example_of(target, definitions, depth + 1)
    for key in ("allOf", "anyOf", "oneOf"):
        if schema.get(key):
            return _of_one(schema[key], definitions, depth + 1)
    return _of_type(schema, definitions, depth + 1)


def _given(schema: Json) -> list[Any]:
    if schema.get("examples"):
        return list(schema["examples"])
    for key in ("example", "default", "const"):
        if key in schema:
            return [schema[key]]
    return list(schema.get("enum", ()))


def _of_one(options: list[Json], definitions: Json, depth: int) -> Any:  # noqa: ANN401  # any JSON
    """The first one that has an example, and null only where there is nothing else."""
    ordered = sorted(options, key=lambda one: one.get("type") == "null")
    for option in ordered:
        try:
            return example_of(option, definitions, depth)
        except NoExampleError:
            continue
    raise NoExampleError


def _of_type(schema: Json, definitions: Json, depth: int) -> Any:  # noqa: ANN401  # any JSON
    kind = schema.get("type")
    if kind in _MAKERS:
        return _MAKERS[kind](schema, definitions, depth)
    return {} if kind is None else None


def _of_object(schema: Json, definitions: Json, depth: int) -> Json:
    required = schema.get("required", ())
    found = {}
    for name, one in schema.get("properties", {}).items():
        try:
            found[name] = example_of(one, definitions, depth)
        except NoExampleError:
            if name in required:
                raise
    extra = schema.get("additionalProperties")
    if not found and isinstance(extra, dict):
        found["key"] = example_of(extra, definitions, depth)
    return found


def _of_array(schema: Json, definitions: Json, depth: int) -> list[Any]:
    first = [
        example_of(one, definitions, depth) for one in schema.get("prefixItems", ())
    ]
    least, most = schema.get("minItems", 0), schema.get("maxItems", _ITEMS)
    items = schema.get("items")
    missing = max(least, min(1, most)) - len(first)
    if not items or missing <= 0:
        return first
    try:
        return first + [example_of(items, definitions, depth)] * min(missing, _ITEMS)
    except NoExampleError:
        if least > len(first):
            raise
        return first


def _of_text(schema: Json) -> str:
    kind: str = schema.get("format", "")
    if kind in _TEXTS:
        return _TEXTS[kind]
    least, most = schema.get("minLength", 0), schema.get("maxLength", 1 << 10)
    text: str = "text" + "." * (least - len("text"))
    return text[: int(most)]


def _number(schema: Json, wanted: int) -> float:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    step = schema.get("multipleOf", 1)
    if low is not None and wanted <= low:
        wanted = low if "minimum" in schema else low + step
    if high is not None and wanted >= high:
        between = (low + high) / 2 if low is not None else high - step
        wanted = high if "maximum" in schema else between
    return wanted if "multipleOf" not in schema else wanted // step * step or step


_MAKERS: dict[str, Callable[[Json, Json, int], Any]] = {
    "object": _of_object,
    "array": _of_array,
    "string": lambda schema, _definitions, _depth: _of_text(schema),
    "integer": lambda schema, _definitions, _depth: _number(schema, 1),
    "number": lambda schema, _definitions, _depth: float(_number(schema, 1)),
    "boolean": lambda _schema, _definitions, _depth: True,
}
