"""Environment variables as a user declares them."""

from typing import Annotated

from pydantic import AfterValidator

RESERVED_PREFIX = "CORTEX_"


def _check(value: dict[str, str]) -> dict[str, str]:
    for name, text in value.items():
        if name.startswith(RESERVED_PREFIX):
            msg = (
                f"must not set {name}: names that start with {RESERVED_PREFIX} are"
                " reserved"
            )
            raise ValueError(msg)
        if not name or "=" in name or "\0" in name + text:
            msg = f"must hold names and values of environment variables, not {name!r}"
            raise ValueError(msg)
    return value


Variables = Annotated[dict[str, str], AfterValidator(_check)]
