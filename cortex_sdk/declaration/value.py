"""The base of every declared value, and how a wrong one is explained."""

import difflib
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from cortex_sdk.errors import InvalidSpecError


class Value(BaseModel):
    """A frozen value; a wrong field is an InvalidSpecError that names it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, validate_default=True
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
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if isinstance(value, Value) and isinstance(field.default, Value):
                found |= {f"{name}.{k}": v for k, v in value.changed().items()}
            elif value != field.get_default(call_default_factory=True):
                found[name] = value
        return found


def _explain(model: type[Value], error: ValidationError) -> str:
    """One clause per wrong field: where, the rule, what was given."""
    return "; ".join(
        _clause(model, details) for details in error.errors(include_url=False)
    )


def _clause(model: type[Value], details: ErrorDetails) -> str:
    path = ".".join(str(part) for part in (model.__name__, *details["loc"]))
    if details["type"] == "extra_forbidden":
        return _unknown_field(model, details)
    if details["type"] == "missing":
        return f"`{path}` is required"
    rule = details["msg"].removeprefix("Value error, ").removeprefix("Input ")
    rule = rule[:1].lower() + rule[1:]
    return f"`{path}` {rule}, got {_shown(details['input'])}"


def _unknown_field(model: type[Value], details: ErrorDetails) -> str:
    *owners, name = (str(part) for part in details["loc"])
    fields = list(_owner(model, owners).model_fields)
    near = difflib.get_close_matches(name, fields, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"it has {', '.join(fields)}"
    return f"`{'.'.join([model.__name__, *owners])}` has no field `{name}`; {hint}"


def _owner(model: type[Value], path: list[str]) -> type[Value]:
    for part in path:
        field = model.model_fields.get(part)
        kind = field.annotation if field else None
        if isinstance(kind, type) and issubclass(kind, Value):
            model = kind
    return model


def _shown(value: object) -> str:
    text = repr(value)
    limit = 80
    return text if len(text) <= limit else f"{text[:limit]}…"
