"""The annotation `pulumi.com/waitFor`: conditions, and JSONPath as kubectl knows it."""

import json
import re

import jsonpath
from e2e.provider.objects import nested
from e2e.provider.readiness import Readiness
from e2e.provider.wire import Object


def check(item: Object, text: str) -> Readiness:
    """Whether an object meets every expression of an annotation.

    Raises:
        ValueError: An expression is none.
    """
    found = [_check(item, expression) for expression in _expressions(text)]
    unmet = [one for one in found if not one.is_ready]
    return unmet[0] if unmet else found[0]


def _expressions(text: str) -> list[str]:
    try:
        several = json.loads(text)
    except ValueError:
        return [text]
    if not isinstance(several, list) or not several:
        raise ValueError("at least one condition must be specified")
    return several


def _check(item: Object, expression: str) -> Readiness:
    kind, _, rest = expression.partition("=")
    if kind == "condition":
        return _condition(item, rest)
    if kind == "jsonpath":
        return _jsonpath(item, rest)
    raise ValueError(
        f'expected a "jsonpath=" or "condition=" prefix, got "{expression}"'
    )


def _condition(item: Object, expression: str) -> Readiness:
    name, _, wanted = expression.partition("=")
    wanted = wanted or "True"
    for one in nested(item, "status", "conditions") or []:
        if one["type"].lower() == name.lower():
            current = not _is_stale(item, one)
            met = current and one["status"].lower() == wanted.lower()
            text = f"Resource has condition {name}={one['status']} (want {wanted})"
            return Readiness(text, met)
    return Readiness(f"Waiting for condition {name}={wanted}")


def _jsonpath(item: Object, expression: str) -> Readiness:
    path, wanted = _split(expression)
    message = f"Waiting for {expression}"
    if _is_stale(item, {}):
        return Readiness(message)
    values = jsonpath.findall(path, item)
    if not values:
        return Readiness(f"{message} (selected nothing)")
    found = values[0] if isinstance(values[0], str) else json.dumps(values[0])
    met = wanted in {None, found}
    return Readiness(f'{message} (found "{found}")', met)


def _split(expression: str) -> tuple[str, str | None]:
    """The path in its braces, and the value that it must have, if any."""
    match = re.fullmatch(r"\{\s*(?P<path>.*?)\s*\}(=(?P<value>.+))?", expression)
    if match is None:
        raise ValueError(
            f"format should be {{.path}}=value or {{.path}}, got {expression}"
        )
    path = match["path"]
    return path if path.startswith("$") else f"${path}", match["value"]


def _is_stale(item: Object, condition: Object) -> bool:
    """Whether what is said is about an older form of the object."""
    generation = nested(item, "metadata", "generation")
    seen = condition.get("observedGeneration")
    seen = nested(item, "status", "observedGeneration") if seen is None else seen
    return generation is not None and seen is not None and seen < generation
