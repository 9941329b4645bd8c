"""Targets by name."""

import os

from cortex_sdk._target import Target
from cortex_sdk.errors import MissingExtraError, UnsupportedError

TARGET_VARIABLE = "CORTEX_TARGET"


def target_of(target: "str | Target | None" = None) -> Target:
    """The target meant: an object, a name, `$CORTEX_TARGET`, or else "local".

    Raises:
        UnsupportedError: There is no target of that name.
        MissingExtraError: What the target needs is not installed.
    """
    if target is not None and not isinstance(target, str):
        return target
    name = target or os.environ.get(TARGET_VARIABLE) or "local"
    if name != "local":
        msg = f'there is no target {name!r}; the targets are "local"'
        raise UnsupportedError(msg)
    return _local()


def _local() -> Target:
    try:
        from cortex_sdk.local.target import LocalTarget  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        if error.name not in {"envoy", "psutil"}:
            raise
        msg = (
            f'the target "local" needs the package `{error.name}`;'
            " run `pip install 'cortex-sdk[local]'`"
        )
        raise MissingExtraError(msg) from None
    return LocalTarget()
