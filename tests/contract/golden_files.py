"""Golden files: arguments of an API on top, the objects that they become below."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import yaml

from cortex_stacks.api.manifests import resources
from cortex_stacks.args import SyncAPIArgs

FOLDER = Path(__file__).parent / "golden"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read(case: str) -> tuple[SyncAPIArgs, dict[str, Any]]:
    """The arguments of a case, and the objects by their logical name."""
    args, expected = yaml.safe_load_all((FOLDER / f"{case}.yaml").read_text())
    return _args(args), expected


def rewrite(case: str) -> None:
    """Put down what the arguments become now."""
    path = FOLDER / f"{case}.yaml"
    above = path.read_text().partition("\n---\n")[0]
    args = _args(yaml.safe_load(above))
    below = yaml.dump(resources(args), sort_keys=False, Dumper=_Plain, width=88)
    path.write_text(f"{above}\n---\n{below}")


class _Plain(yaml.SafeDumper):
    """Writes a value that occurs twice twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _args(values: Any) -> SyncAPIArgs:
    # In JSON, bytes (`!!binary`) travel as base64.
    text = json.dumps(values, default=lambda data: b64encode(data).decode())
    return SyncAPIArgs.from_json(text)
