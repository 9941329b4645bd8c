"""A real replica, started and ended as an agent does it, with its parts at hand."""

import hashlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from cortex_server.manifest import Manifest, PredictorModule

LIMIT = 20.0
"""Seconds after which something that should have happened has not."""

_POLL = 0.005
_CONNECTIONS = httpx.Limits(max_connections=None, max_keepalive_connections=20)

Found = TypeVar("Found")


def wait_for(
    what: str, look: Callable[[], Found | None], seconds: float = LIMIT
) -> Found:
    """Look again and again until something is there.

    Raises:
        TimeoutError: It never came.
    """
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if found := look():
            return found
        time.sleep(_POLL)
    msg = f"waited {seconds} seconds for {what}"
    raise TimeoutError(msg)


def pack(path: Path, files: Mapping[str, str]) -> str:
    """Write the bundle of some source files; returns its digest."""
    with tarfile.open(path, "w") as tar:
        for name, text in files.items():
            content = text.encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Replica:
    """One `python -m cortex_server`, in a folder of its own.

    Args:
        folder: Short path: it holds the sockets.
        source: Module `app` with a class `P`, or several files by name.
        arguments: More of the launcher's, after those that every replica has.
        manifest: Fields that differ from those of a plain manifest.
    """

    def __init__(
        self,
        folder: Path,
        source: str | Mapping[str, str],
        arguments: tuple[str, ...] = (),
        **manifest: Any,
    ) -> None:
        self.folder = folder
        self.public_socket = folder / "http.sock"
        self.admin_socket = folder / "admin.sock"
        self.log_file = folder / "replica.log"
        self.failure_file = folder / "failure.json"
        files = {"app.py": source} if isinstance(source, str) else source
        self._prepare(files, manifest)
        self._arguments = arguments
        self.client = _client(self.public_socket)
        self.admin = _client(self.admin_socket)

    def _prepare(self, files: Mapping[str, str], manifest: dict[str, Any]) -> None:
        digest = pack(self.folder / "bundle.tar", files)
        values = {
            "name": "test",
            "bundle": digest,
            "predictor": PredictorModule(module="app", qualname="P"),
            **manifest,
        }
        (self.folder / "manifest.json").write_bytes(Manifest(**values).json())

    def start(self) -> None:
        """Start it; returns at once."""
        folder = self.folder
        with (folder / "boot.log").open("wb") as output:
            self.process = psutil.Popen(
                [
                    *(sys.executable, "-P", "-m", "cortex_server"),
                    *("--manifest", folder / "manifest.json"),
                    *("--bundle", folder / "bundle.tar"),
                    *("--root", folder / "root"),
                    *("--listen", f"unix:{self.public_socket}"),
                    *("--admin", f"unix:{self.admin_socket}"),
                    *("--log", self.log_file),
                    *("--failure", self.failure_file),
                    *self._arguments,
                ],
                env=_environment(folder),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Return when it answers predictions."""
        wait_for("the replica to be ready", self._is_ready)

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            msg = f"the replica did not start: {self.boot_log}{self.log_text}"
            raise RuntimeError(msg)
        return accepts(self.admin_socket) and self.admin.get("/readyz").is_success

    @property
    def worker(self) -> psutil.Process:
        """The process that runs the predictor."""
        (worker,) = self.process.children()
        return worker

    @property
    def boot_log(self) -> str:
        """What the supervisor wrote past its log."""
        return (self.folder / "boot.log").read_text()

    @property
    def log_text(self) -> str:
        """The log as it is so far."""
        return self.log_file.read_text() if self.log_file.exists() else ""

    def log(self, **fields: Any) -> list[dict[str, Any]]:
        """Lines of the log that have these fields; every line must be JSON."""
        whole, _, _ = self.log_text.rpartition("\n")
        lines = [json.loads(line) for line in whole.split("\n") if line]
        return [line for line in lines if fields.items() <= line.items()]

    def logged(self, **fields: Any) -> dict[str, Any]:
        """The first line of the log that has these fields, waited for."""
        return wait_for(f"{fields} in the log", lambda: self.log(**fields))[0]

    def failure(self) -> dict[str, str]:
        """What the failure file says."""
        told: dict[str, str] = json.loads(self.failure_file.read_text())
        return told

    def wait(self) -> int:
        """Wait for its end; returns the exit code."""
        return int(self.process.wait(LIMIT))

    def terminate(self) -> None:
        """Tell it to end."""
        self.process.send_signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """Insist, as Ctrl-C does."""
        self.process.send_signal(signal.SIGINT)

    def metric(self, name: str, **labels: str) -> float:
        """The value of a metric, summed over labels not given; 0 if there is none."""
        text = self.admin.get("/metrics").text
        samples = [
            sample
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(sample.value for sample in samples)

    def wait_for_metric(self, name: str, value: float, **labels: str) -> None:
        """Return when a metric has a value."""
        wait_for(f"{name} = {value}", lambda: self.metric(name, **labels) == value)

    def open_gate(self, name: str) -> None:
        """Let everything go on that waits for a file of this name, see GATE."""
        (self.folder / "root" / name).touch()

    def connect(self) -> socket.socket:
        """A raw connection to the public address."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(LIMIT)
        try:
            connection.connect(str(self.public_socket))
        except OSError:
            connection.close()
            raise
        return connection

    def end(self) -> None:
        """Leave no process behind, whatever has happened."""
        self.client.close()
        self.admin.close()
        family = []
        with suppress(psutil.NoSuchProcess):
            family = [*self.process.children(recursive=True), self.process]
        for process in [*family, *_workers_of(self.folder)]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait(LIMIT)


GATE = """
import asyncio, os, pathlib, time

def wait_at(gate):
    limit = time.monotonic() + 20
    while not pathlib.Path(gate).exists() and time.monotonic() < limit:
        time.sleep(0.005)

async def await_at(gate):
    limit = time.monotonic() + 20
    while not pathlib.Path(gate).exists() and time.monotonic() < limit:
        await asyncio.sleep(0.005)
"""
"""Source that waits until a test opens a gate."""


@contextmanager
def starting(
    source: str | Mapping[str, str], arguments: tuple[str, ...] = (), **manifest: Any
) -> Iterator[Replica]:
    """A replica that has just been started; ended with everything it has started."""
    with tempfile.TemporaryDirectory(prefix="replica-") as folder:
        replica = Replica(Path(folder), source, arguments, **manifest)
        replica.start()
        try:
            yield replica
        finally:
            replica.end()


@contextmanager
def running(
    source: str | Mapping[str, str], arguments: tuple[str, ...] = (), **manifest: Any
) -> Iterator[Replica]:
    """A replica that answers predictions."""
    with starting(source, arguments, **manifest) as replica:
        replica.wait_until_ready()
        yield replica


def accepts(path: Path) -> bool:
    """Whether somebody takes connections at a unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def wait_for_end(process: psutil.Process) -> None:
    """Return when a process has ended that may be nobody's child any more."""

    def has_ended() -> bool:
        try:
            return bool(process.status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True

    wait_for("the process to end", has_ended)


def receive(connection: socket.socket) -> bytes:
    """All that comes over a connection until the other side closes it."""
    received = b""
    with suppress(ConnectionResetError):
        while data := connection.recv(1 << 16):
            received += data
    return received


def receive_response(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the next response on a raw connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        data = connection.recv(1 << 16)
        if not data:
            msg = f"the connection was closed after {received!r}"
            raise ConnectionError(msg)
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    headers = dict(re.findall(r"(?m)^([\w-]+): *([^\r\n]*)", head.decode().lower()))
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(1 << 16)
    return int(head.split()[1]), headers, body


def request_bytes(body: bytes = b"", *headers: str, path: str = "/") -> bytes:
    """A prediction as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "host: test", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def _client(path: Path) -> httpx.Client:
    transport = httpx.HTTPTransport(uds=str(path), limits=_CONNECTIONS)
    return httpx.Client(transport=transport, base_url="http://replica", timeout=LIMIT)


def _environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CORTEX_")}
    # No replica opens a gateway; one that does would meet no other's.
    return kept | {"CORTEX_HOME": str(folder), "CORTEX_GATEWAY_PORT": "1"}


def _workers_of(folder: Path) -> list[psutil.Process]:
    """Those that outlived their supervisor."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("CORTEX_HOME") == str(folder):
                found.append(process)
    return found
