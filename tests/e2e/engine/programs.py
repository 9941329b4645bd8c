"""Programs of naps, and a process that brings one up: `programs.py HOME STACK …`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi

from cortex_sdk.errors import CortexError
from cortex_sdk.kubernetes.engine import Engine, EngineSettings


class Nap(pulumi.CustomResource):
    def __init__(self, name: str, properties: dict[str, Any]) -> None:
        super().__init__("nap:index:Nap", name, properties)


def naps(**of_name: dict[str, Any]) -> Callable[[], None]:
    """A program that declares a nap for each name."""

    def program() -> None:
        for name, properties in of_name.items():
            plain = {
                key: str(value) if isinstance(value, Path) else value
                for key, value in properties.items()
            }
            Nap(name, plain)
        pulumi.export("names", sorted(of_name))

    return program


def main(home: str, stack: str, of_name: str) -> int:
    engine = Engine(EngineSettings(home=Path(home)))
    try:
        outcome = engine.up(stack, naps(**json.loads(of_name)), say)
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    except CortexError as error:
        say(f"{type(error).__name__}: {error}")
        return 1
    say(f"done: {len(outcome.changes)} changes")
    return 0


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
