"""Targets by name: built in, or from `[targets.NAME]` in `$CORTEX_HOME/config.toml`."""

import difflib
import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from cortex_sdk import _config
from cortex_sdk._target import Target
from cortex_sdk.errors import InvalidSpecError, MissingExtraError, UnsupportedError

TARGET_VARIABLE = "CORTEX_TARGET"


def target_of(target: "str | Target | None" = None) -> Target:
    """The target meant: an object, a name, `$CORTEX_TARGET`, or else "local".

    Raises:
        UnsupportedError: There is no target of that name.
        InvalidSpecError: Its table in `config.toml` is wrong.
        MissingExtraError: What the target needs is not installed.
    """
    if target is not None and not isinstance(target, str):
        return target
    name = target or os.environ.get(TARGET_VARIABLE) or "local"
    if name == "local":
        return _local()
    named = _config.named_targets()
    if name in named:
        return _from_table(name, named[name])
    if name in _KINDS:
        return _KINDS[name](name, {})
    raise UnsupportedError(_unknown(name, "target", [*_KINDS, *named]))


def names() -> list[str]:
    """All names that `target_of` knows, for completion."""
    return [*_KINDS, *(n for n in _config.named_targets() if n not in _KINDS)]


def _from_table(name: str, table: _config.NamedTarget) -> Target:
    if table.kind not in _KINDS:
        unknown = _unknown(table.kind, "type of target", [*_KINDS])
        msg = f"{table.where}: {unknown}"
        raise UnsupportedError(msg)
    try:
        return _KINDS[table.kind](name, table.fields)
    except InvalidSpecError as error:
        msg = f"{table.where}: {error}"
        raise InvalidSpecError(msg) from None


def _unknown(name: str, what: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    listed = ", ".join(f'"{each}"' for each in known)
    hint = f'did you mean "{near[0]}"?' if near else f"the {what}s are {listed}"
    if what == "target" and not near:
        hint += f"; name others in `{_config.config_file()}`"
    return f"there is no {what} {name!r}; {hint}"


def _local() -> Target:
    try:
        from cortex_sdk.local.target import LocalTarget  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        if error.name not in {"envoy", "psutil"}:
            raise
        raise _missing("local", error.name) from None
    return LocalTarget()


def _named_local(name: str, fields: dict[str, Any]) -> Target:
    if fields:
        msg = f"the target {name!r} of type local takes no fields: {', '.join(fields)}"
        raise InvalidSpecError(msg)
    return _local()


def _kubernetes(name: str, fields: dict[str, Any]) -> Target:
    for package in ("kubernetes", "pulumi", "pulumi_kubernetes"):
        if find_spec(package) is None:
            raise _missing("kubernetes", package)
    from cortex_sdk.kubernetes.target import Kubernetes  # noqa: PLC0415  # an extra

    return Kubernetes(**fields).named(name)


def _missing(extra: str, package: str) -> MissingExtraError:
    return MissingExtraError(
        f'the target "{extra}" needs the package `{package}`;'
        f" run `pip install 'cortex-sdk[{extra}]'`"
    )


_KINDS: dict[str, Callable[[str, dict[str, Any]], Target]] = {
    "local": _named_local,
    "kubernetes": _kubernetes,
}
