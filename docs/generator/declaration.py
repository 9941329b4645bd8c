"""The page with every field of what can be deployed, and of the values in it."""

import ast
import inspect
import itertools
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from generator.table import Row, table
from pydantic.fields import FieldInfo

import cortex_sdk
from cortex_sdk.declaration.value import Value
from cortex_sdk.errors import UnsupportedError
from cortex_sdk.local import refusals

HEAD = ("Field", "Type", "Default", "Rule", "Meaning", "Local target")
INTRODUCTION = """\
# The declaration

`SyncAPI(predictor, …)`, `TrafficSplitter(name, …)` and the values they are made of. All
are frozen; a nested value may be given as a dict. An unknown field or a wrong value
raises `InvalidSpecError`, which names the field, the rule and the value.

A **duration** is a number of seconds or text such as `"60s"` or `"1m30s"`, a **size**
a number of bytes or text such as `"512Mi"` or `"2G"`, **cores** a number or text such
as `"500m"`, and a **percentage** text such as `"25%"`.

The last column says what the local target does with a field that is not left at its
default. What it refuses is refused by name, before anything is touched."""

TYPES = {
    "Any": "class or str",
    "ApiName": "str or SyncAPI",
    "Platform": "[Platform](#platform)",
    "_Label": "str",
    "_Path": "path",
    "_Url": "URL",
    "tuple[Annotated[str, AfterValidator(_hostname)], ...]": "list[str]",
    "tuple[_Label, ...]": "list[str]",
    "tuple[_Path, ...]": "list of paths",
    "tuple[dict[str, Any], ...]": "list of dicts",
    "Bytes": "size",
    "Cores": "cores",
    "Folder": "str",
    "FolderInside": "str",
    "HeaderValue": "str",
    "LogLevel": "str",
    "Percentages": "dict of percentages",
    "Place": "path or URL",
    "Seconds": "duration",
    "Share": "int or percentage",
    "Token": "str",
    "Variables": "dict[str, str]",
    "WhenFull": "str",
    "dict[str, JsonValue]": "dict",
    "tuple[Any, ...]": "list of functions",
    "tuple[Rule, ...]": "list of [Rule](#rule)",
    "tuple[ModelPath, ...]": "list of [ModelPath](#modelpath)",
    "tuple[str, ...]": "list[str]",
}
"""What users read for the names that annotations use."""

BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}

NONE, ONE, TOO_MUCH = 0, 1, 10**15
"""Values that are tried on the local target."""


def declaration_page() -> str:
    """The whole page, without the note that it is generated."""
    deployable = (cortex_sdk.SyncAPI, cortex_sdk.TrafficSplitter)
    # A value that is in both is told of once.
    found = {model: path for each in deployable[::-1] for model, path in _models(each)}
    order = dict.fromkeys(model for each in deployable for model, _ in _models(each))
    sections = [_section(model, found[model]) for model in order]
    return "\n\n".join([INTRODUCTION, *sections]) + "\n"


TARGETS = """\
# The Kubernetes target

`Kubernetes(…)` in Python, or a table of `$CORTEX_HOME/config.toml` with the same
fields:

```toml
[targets.prod]
type = "kubernetes"
context = "prod-eu"
namespace = "models"
```

Then `--target prod` means it, and so does `.deploy("prod")`. The name `kubernetes`
alone means the cluster that kubectl uses, without any field. An unknown field or a
wrong value raises `InvalidSpecError`, which names it."""


def target_page() -> str:
    """The page with every field of a Kubernetes target."""
    sections = [_fields(model) for model, _ in _models(cortex_sdk.Kubernetes)]
    return "\n\n".join([TARGETS, *sections]) + "\n"


def _fields(model: type[Value]) -> str:
    """A section that says nothing of the local target."""
    what, *_ = (inspect.getdoc(model) or "").partition("\n\n")
    attributes = _attributes(model)
    rows = [
        (
            f"`{name}`",
            _type(attributes[name][0]),
            _default(field),
            _rule(field),
            attributes[name][1],
        )
        for name, field in model.model_fields.items()
    ]
    return f"## {model.__name__}\n\n{what}\n\n{table(HEAD[:-1], rows)}"


def _models(model: type[Value], path: str = "") -> Iterator[tuple[type[Value], str]]:
    """A model and those of its fields, each with the dotted name it is found under."""
    yield model, path
    for name, field in model.model_fields.items():
        for part in _parts(field.annotation):
            if isinstance(part, type) and issubclass(part, Value):
                yield from _models(part, f"{path}{name}.")


def _parts(annotation: Any) -> Iterator[Any]:  # noqa: ANN401  # any annotation
    """What an annotation is made of: unions, containers and metadata opened."""
    yield annotation
    for part in (*getattr(annotation, "metadata", ()), *get_args(annotation)):
        yield from _parts(part)


def _section(model: type[Value], path: str) -> str:
    what, *_ = (inspect.getdoc(model) or "").partition("\n\n")
    rows = [_row(model, name, path) for name in model.model_fields]
    return f"## {model.__name__}\n\n{what}\n\n{table(HEAD, rows)}"


def _row(model: type[Value], name: str, path: str) -> Row:
    field = model.model_fields[name]
    annotation, meaning = _attributes(model)[name]
    return (
        f"`{name}`",
        _type(annotation),
        _default(field),
        _rule(field),
        meaning,
        _honoured(f"{path}{name}", field),
    )


def _attributes(model: type[Value]) -> dict[str, tuple[ast.expr, str]]:
    """Annotation and docstring of each attribute, as they stand in the source."""
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0].body  # type: ignore[attr-defined]  # a class
    found = {}
    for attribute, doc in itertools.pairwise(body):
        if isinstance(attribute, ast.AnnAssign) and isinstance(doc, ast.Expr):
            text = " ".join(ast.literal_eval(doc.value).split())
            found[ast.unparse(attribute.target)] = (attribute.annotation, text)
    return found


def _type(annotation: ast.expr) -> str:
    match annotation:
        case ast.BinOp(left=left, right=right):
            sides = [_type(side) for side in (left, right)]
            return " or ".join(side for side in sides if side != "None")
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=elts)):
            return _type(elts[0])
        case ast.Subscript(value=ast.Name(id="Literal")):
            return "str"
    name = ast.unparse(annotation)
    if isinstance(getattr(cortex_sdk, name, None), type):
        return f"[{name}](#{name.lower()})"
    return TYPES.get(name, name)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Value):
        return f"`{type(value).__name__}()`"
    if value in (None, ""):
        return "unset"
    if isinstance(value, tuple):
        value = list(value)
    return f"`{value:g}`" if isinstance(value, float) else f"`{value!r}`"


def _rule(field: FieldInfo) -> str:
    parts = [*field.metadata, *_parts(field.annotation)]
    bounds = {
        sign: _number(getattr(part, sign))
        for part in parts
        for sign in BOUNDS
        if getattr(part, sign, None) is not None
    }
    if {"ge", "le"} <= bounds.keys():
        return f"{bounds['ge']} to {bounds['le']}"
    rules = [f"{BOUNDS[sign]} {number}" for sign, number in bounds.items()]
    for part in parts:
        if get_origin(part) is Literal:
            rules.append(", ".join(f"`{each!r}`" for each in get_args(part)))
        elif pattern := getattr(part, "pattern", None):
            rules.append(f"matches `{pattern}`")
    return " and ".join(rules)


def _number(value: float) -> str:
    mebi = 1024**2
    return f"{value // mebi}Mi" if value >= mebi else str(value)


@dataclass(frozen=True, slots=True)
class _Changed:
    """As much of a declaration as the refusals look at."""

    changed: Callable[[], dict[str, object]]


def _honoured(name: str, field: FieldInfo) -> str:
    """What the local target does with a field; asked, so that it is true."""
    default = None
    if not field.is_required():
        default = field.get_default(call_default_factory=True)
    if isinstance(default, Value):
        return "see there"
    if not _refuses(name, TOO_MUCH):
        return "honoured"
    if not _refuses(name, NONE):
        return "up to what the machine has"
    return "refused for now" if _refuses(name, ONE) else "only 1"


def _refuses(name: str, value: int) -> bool:
    """Whether the field, or a value that it is in, cannot be set to this."""
    owners = [name.rsplit(".", count)[0] for count in range(name.count(".") + 1)]
    declaration: Any = _Changed(lambda: dict.fromkeys(owners, value))
    try:
        refusals.check(declaration)
    except UnsupportedError:
        return True
    return False
