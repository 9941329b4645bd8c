"""The servers that are compared: how each is started, and what it needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from comparison.workload import Workload

ROOT = Path(__file__).parent.parent
APPS = ROOT / "apps"
SERVERS = ROOT / "servers"

WITH_MODEL = {"PYTHONPATH": str(APPS)}
"""The environment of those that import the model from beside our apps."""

Command = Callable[[Path, Workload, int], list[str]]
"""The command line for an interpreter, a workload and a port."""

REPLICA = Path("replica")
"""What our server is told, relative to the folder that it is started in."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and how it differs from the others."""

    name: str
    title: str
    command: Command
    packages: tuple[str, ...]
    is_isolated: bool = True
    """Whether it gets a virtual environment; the others are part of ours."""
    path: str = "/predict"
    reads_raw_bytes: bool = True
    lacks: tuple[str, ...] = ()
    """Workloads that it cannot be asked as the others are."""
    prepare: str | None = None
    """Script that is run before, as a deploy would be."""
    variables: Mapping[str, str] = field(default_factory=lambda: WITH_MODEL)

    def body(self, workload: Workload) -> tuple[bytes, str]:
        """Body and content type of a request."""
        is_raw = workload.content_type == "application/octet-stream"
        if is_raw and not self.reads_raw_bytes:
            return workload.as_form()
        return workload.body, workload.content_type

    @property
    def distributions(self) -> list[str]:
        """The packages without their extras."""
        return [package.partition("[")[0] for package in self.packages]


def _script(name: str) -> Command:
    def command(python: Path, workload: Workload, port: int) -> list[str]:
        return [str(python), "-P", str(SERVERS / name), workload.name, str(port)]

    return command


def _bentoml(python: Path, workload: Workload, port: int) -> list[str]:
    service = f"bentoml_service:{workload.name.capitalize()}"
    where = ["--working-dir", str(SERVERS), "--host", "127.0.0.1", "--port", str(port)]
    return [str(python), "-P", "-m", "bentoml", "serve", service, *where]


def _cortex(python: Path, _: Workload, port: int) -> list[str]:
    options = {
        "--manifest": REPLICA / "manifest.json",
        "--bundle": REPLICA / "bundle.tar",
        "--root": REPLICA / "project",
        "--listen": f"127.0.0.1:{port}",
        "--admin": "unix:admin.sock",
        "--log": "replica.log",
    }
    given = [str(part) for option in options.items() for part in option]
    return [str(python), "-P", "-m", "cortex_server", *given]


_ALL = (
    Server(
        "cortex",
        "a replica of ours",
        _cortex,
        ("cortex-sdk",),
        is_isolated=False,
        path="/",
        prepare="cortex_release.py",
        variables={},
    ),
    Server(
        "sanic",
        "raw Sanic",
        _script("sanic_raw.py"),
        ("sanic",),
        is_isolated=False,
    ),
    Server(
        "asyncio",
        "a bare protocol, the floor",
        _script("asyncio_floor.py"),
        ("uvloop",),
        is_isolated=False,
    ),
    Server(
        "fastapi",
        "FastAPI on uvicorn",
        _script("fastapi_uvicorn.py"),
        ("fastapi", "uvicorn[standard]"),
    ),
    Server(
        "litserve",
        "LitServe",
        _script("litserve_api.py"),
        ("litserve", "python-multipart"),
        reads_raw_bytes=False,
    ),
    Server(
        "bentoml",
        "BentoML",
        _bentoml,
        ("bentoml",),
        lacks=("w4",),  # a request to its batches holds a list, and so does the answer
        variables={**WITH_MODEL, "BENTOML_DO_NOT_TRACK": "True"},
    ),
)
SERVERS_BY_NAME = {server.name: server for server in _ALL}
OURS, FLOOR, REFERENCE = "cortex", "asyncio", "sanic"
"""What every ratio refers to."""
