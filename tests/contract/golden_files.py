"""Golden files: arguments on top, the objects that they become below."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import yaml

from cortex_stacks.api import manifests as _of_api
from cortex_stacks.args import SplitterArgs, SyncAPIArgs
from cortex_stacks.splitter import manifests as _of_splitter

FOLDER = Path(__file__).parent / "golden"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))

Args = SyncAPIArgs | SplitterArgs


def read(case: str) -> tuple[Args, dict[str, Any]]:
    """The arguments of a case, and the objects by their logical name."""
    args, expected = yaml.safe_load_all((FOLDER / f"{case}.yaml").read_text())
    return _args(args), expected


def resources(args: Args) -> dict[str, Any]:
    """The objects that arguments become, by their logical name."""
    if isinstance(args, SplitterArgs):
        return _of_splitter.resources(args)
    return _of_api.resources(args)


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


def _args(values: Any) -> Args:
    # In JSON, bytes (`!!binary`) travel as base64.
    text = json.dumps(values, default=lambda data: b64encode(data).decode())
    kind = SplitterArgs if "weights" in values else SyncAPIArgs
    return kind.from_json(text)
