"""`$CORTEX_HOME/config.toml`: the targets that a user gave names to."""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cortex_sdk.errors import InvalidSpecError
from cortex_sdk.project.files import HOME_VARIABLE

_HOME = "~/.cortex"


@dataclass(frozen=True, slots=True)
class NamedTarget:
    """What stands under `[targets.NAME]`."""

    kind: str
    fields: dict[str, Any]
    where: str
    """File and table, for messages."""


def config_file() -> Path:
    """Where the settings of this user are."""
    return Path(os.environ.get(HOME_VARIABLE) or _HOME).expanduser() / "config.toml"


def named_targets() -> dict[str, NamedTarget]:
    """All targets with names of their own; {} where there is no file.

    Raises:
        InvalidSpecError: The file cannot be read, or a table in it is no target.
    """
    path = config_file()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        msg = f"cannot read `{path}`: {reason}"
        raise InvalidSpecError(msg) from error
    tables = content.get("targets", {})
    if not isinstance(tables, dict):
        msg = f"`{path}`: targets must be tables such as [targets.prod]"
        raise InvalidSpecError(msg)
    return {name: _target(name, table, path) for name, table in tables.items()}


def _target(name: str, table: object, path: Path) -> NamedTarget:
    where = f"`{path}`, [targets.{name}]"
    if not isinstance(table, dict) or not isinstance(table.get("type"), str):
        msg = f'{where}: needs a line such as type = "kubernetes"'
        raise InvalidSpecError(msg)
    fields = {key: value for key, value in table.items() if key != "type"}
    return NamedTarget(table["type"], fields, where)
