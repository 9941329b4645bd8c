"""How a replica is started: the arguments that are no part of its revision."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

if TYPE_CHECKING:
    from cortex_server.manifest import StartFailure

START_FAILED = 78
"""Exit status of a worker that has reported why it cannot start."""


class Launch(NamedTuple):
    """Where a replica finds its parts, where it listens, and what it may write."""

    manifest: Path
    bundle: Path
    root: Path
    models: Path | None
    pickle: Path | None
    secrets: Path | None
    keys: Path | None
    listen: str
    admin: str
    endpoint: str | None
    replica: str
    log: Path | None
    log_format: Literal["json", "console"]
    failure: Path | None
    withdraw: float
    lifeline: int | None
    scratch: Path | None

    @classmethod
    def parse(cls, arguments: list[str]) -> Self:
        """Read the command line of a replica; exits with status 2 on a wrong one."""
        return cls(**vars(_parser().parse_args(arguments)))

    def read_secrets(self) -> dict[str, str]:
        """Environment variables that are kept out of the manifest."""
        if self.secrets is None:
            return {}
        values: dict[str, str] = json.loads(self.secrets.read_bytes())
        return values

    def report(self, failure: "StartFailure") -> None:
        """Leave word of why the replica could not start."""
        if self.failure is not None:
            self.failure.write_bytes(failure.json())


def _path(text: str) -> Path:
    return Path(text).absolute()  # the worker goes to the folder of the project


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cortex_server",
        description="Serve one replica of an API in the foreground.",
    )
    add = parser.add_argument
    add("--manifest", type=_path, required=True, help="JSON: what to serve")
    add("--bundle", type=_path, required=True, help="archive of the project's files")
    add("--root", type=_path, required=True, help="folder the archive is unpacked to")
    add("--models", type=_path, help="folder for downloads of models; unset, beside it")
    add("--class", type=_path, dest="pickle", help="pickle of a class from a notebook")
    add("--secrets", type=_path, help="JSON: environment variables kept secret")
    add("--keys", type=_path, help="API keys, one a line; unset, everybody may call")
    add("--listen", default="127.0.0.1:8080", help="HOST:PORT or unix:PATH of the API")
    add("--admin", default="127.0.0.1:8081", help="the same for health and metrics")
    add("--endpoint", help="path that is answered besides /")
    add("--replica", default="local", help="name of this replica in logs")
    add("--log", type=_path, help="file to log to, rotated; unset, standard output")
    add("--log-format", choices=("json", "console"), default="json")
    add("--failure", type=_path, help="file that says why a start failed")
    add(
        "--withdraw", type=float, default=0, help="seconds to serve on when told to end"
    )
    add("--lifeline", type=int, help="descriptor that ends with who started it")
    add("--scratch", type=_path, help="folder to remove if that ends first")
    return parser
