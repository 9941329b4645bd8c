"""The base of every declared value, and how a wrong one is explained."""

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from cortex_sdk.declaration.units import size_text
from cortex_sdk.errors import InvalidSpecError

_RULES = {
    "bool_parsing": "must be True or False",
    "bool_type": "must be True or False",
    "dict_type": "must be a dict",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "model_type": "must be {class_name}(...) or a dict",
    "string_pattern_mismatch": "must match `{pattern}`",
    "string_type": "must be text",
    "tuple_type": "must be a list",
}
_MEBI = 1024**2


class Value(BaseModel):
    """A frozen value; a wrong field is an InvalidSpecError that names it."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        validate_default=True,
        defer_build=True,  # at first use: `import cortex_sdk` should not wait for it
    )

    if not TYPE_CHECKING:  # type checkers see the fields as keyword arguments

        def __init__(self, /, **fields: object) -> None:
            try:
                super().__init__(**fields)
            except ValidationError as error:
                raise InvalidSpecError(_explain(type(self), error)) from None

    def changed(self) -> dict[str, Any]:
        """The fields set to something other than their default, nested ones dotted."""
        found: dict[str, Any] = {}
        for name, value, default in self._changes():
            if isinstance(value, Value) and isinstance(default, Value):
                found |= {f"{name}.{k}": v for k, v in value.changed().items()}
            else:
                found[name] = value
        return found

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """What a repr shows: the fields that were changed and are not private."""
        for name, value, _ in self._changes():
            if type(self).model_fields[name].repr:
                yield name, value

    def __str__(self) -> str:
        """The same as the repr."""
        return repr(self)

    def _changes(self) -> Iterator[tuple[str, Any, Any]]:
        """Name, value and default of each field that is not at its default."""
        for name, field in type(self).model_fields.items():
            default = field.get_default(call_default_factory=True)
            if (value := getattr(self, name)) != default:
                yield name, value, default


class ByName:
    """Shows a class or a function in a repr as the code that declares it has it."""

    def __init__(self, thing: Any) -> None:  # noqa: ANN401  # one of the user's
        self._name: str = thing.__qualname__

    def __repr__(self) -> str:
        """The name."""
        return self._name


def _explain(model: type[Value], error: ValidationError) -> str:
    """One clause per wrong field: where, the rule, what was given."""
    clauses = (_clause(model, each) for each in error.errors(include_url=False))
    return "; ".join(dict.fromkeys(clauses))


def _clause(model: type[Value], details: ErrorDetails) -> str:
    if details["type"] == "extra_forbidden":
        return _unknown_field(model, details)
    steps = (step for step in details["loc"] if step != "[key]")
    path = model.__name__ + "".join(map(_step, steps))
    if details["type"] == "missing":
        return f"`{path}` is required"
    rule = _rule(details)
    clause = f"`{path}` {rule}" if rule.startswith("must ") else f"`{path}`: {rule}"
    if "got " in rule or not _may_be_shown(model, details):
        return clause
    return f"{clause}, got {_shown(details['input'])}"


def _step(step: int | str) -> str:
    return f"[{step}]" if isinstance(step, int) else f".{step}"


def _rule(details: ErrorDetails) -> str:
    context = {k: _limit(v) for k, v in details.get("ctx", {}).items()}
    if details["type"] in _RULES:
        return _RULES[details["type"]].format(**context)
    rule = details["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return rule[:1].lower() + rule[1:]


def _limit(value: object) -> object:
    """A limit for people to read; only sizes in bytes are as large as a mebibyte."""
    is_size = isinstance(value, int) and value >= _MEBI
    return size_text(value) if is_size else value  # type: ignore[arg-type]  # an int


def _may_be_shown(model: type[Value], details: ErrorDetails) -> bool:
    """Whether an input belongs in a message: no secrets, nothing said twice."""
    field = model.model_fields.get(str(details["loc"][0])) if details["loc"] else None
    if field is None or not field.repr:
        return False
    is_whole = isinstance(details["input"], dict | list | tuple | type | Value)
    return not (is_whole and details["type"] == "value_error")


def _unknown_field(model: type[Value], details: ErrorDetails) -> str:
    name = str(details["loc"][-1])
    fields = model.model_fields
    # Nested fields by their leaf, since Cortex and others have some of them on top.
    known = dict(_nested(model)) | {name: name for name in fields}
    near = difflib.get_close_matches(name, [*fields, *known], 1)
    hint = (
        f"did you mean `{known[near[0]]}`?" if near else f"it has {', '.join(fields)}"
    )
    return f"`{model.__name__}` has no field `{name}`; {hint}"


def _nested(model: type[Value]) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Value):
            yield from ((leaf, f"{name}.{leaf}") for leaf in kind.model_fields)


def _shown(value: object) -> str:
    text = repr(value)
    limit = 80
    return text if len(text) <= limit else f"{text[:limit]}…"
