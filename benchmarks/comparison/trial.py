"""A server that is up for one measurement, and the requests that it gets."""

import http.client
import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from comparison.environment import Contender
from comparison.failure import BenchmarkError
from comparison.load import Generator, Load, Target
from comparison.machine import Cores
from comparison.process import Running, running
from comparison.server import SERVERS
from comparison.workload import Workload

_START_SECONDS = 60
_ANSWER_SECONDS = 30
_POLL_SECONDS = 0.005
_OK = 200


@dataclass(frozen=True, slots=True)
class Trial:
    """A server that has given its first answer."""

    server: Running
    workload: Workload
    target: Target
    folder: Path
    cold_start_seconds: float

    def load(self, generator: Generator, seconds: int) -> Load:
        """Send requests for some seconds."""
        connections = self.workload.connections
        return generator.run(self.target, connections, seconds, self.folder)

    def hooks_run(self) -> int:
        """How many hooks have run until now: each leaves a byte."""
        hooks = _hook_file(self.folder)
        return hooks.stat().st_size if hooks.exists() else 0

    def expect_answer(self) -> None:
        """Ask once more; raises BenchmarkError when the answer is wrong."""
        try:
            answer = _ask(self.target)
        except (OSError, http.client.HTTPException) as error:
            msg = f"no answer after the load ({error!r}): {self.server.last_words()}"
            raise BenchmarkError(msg) from error
        _compare(answer, self.workload)


@contextmanager
def started(contender: Contender, workload: Workload, cores: Cores) -> Iterator[Trial]:
    """Start a server on a free port and wait for its first answer; end it after.

    Raises:
        BenchmarkError: It did not start, or gave another answer.
    """
    server, port = contender.server, _free_port()
    command = server.command(contender.python, workload, port)
    target = Target(port, server.path, *server.body(workload))
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        variables = {**server.variables, **_places(folder)}
        if server.prepare is not None:
            _prepare(contender, SERVERS / server.prepare, workload, folder)
        start = time.perf_counter()
        placed = replace(cores, is_shared=workload.is_ours)
        with running(command, variables, folder, placed) as process:
            answer = _first_answer(process, target, start + _START_SECONDS)
            seconds = time.perf_counter() - start
            _compare(answer, workload)
            yield Trial(process, workload, target, folder, seconds)


def _prepare(
    contender: Contender, script: Path, workload: Workload, folder: Path
) -> None:
    command = [str(contender.python), "-P", str(script), workload.name]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    if done.returncode:
        msg = f"it could not be prepared: {done.stderr.decode()}"
        raise BenchmarkError(msg)


def _places(folder: Path) -> dict[str, str]:
    """Nothing that a server writes outlives it, or is found by the next one."""
    return {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "CORTEX_HOME": str(folder / "cortex"),
        "BENCHMARK_HOOK_FILE": str(_hook_file(folder)),
    }


def _hook_file(folder: Path) -> Path:
    return folder / "hooks"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _first_answer(server: Running, target: Target, end: float) -> bytes:
    refusal = ""
    while time.perf_counter() < end:
        if server.has_exited:
            msg = f"it ended before it answered: {server.last_words()}"
            raise BenchmarkError(msg)
        try:
            return _ask(target)
        except (OSError, http.client.HTTPException, BenchmarkError) as error:
            refusal = str(error)
            time.sleep(_POLL_SECONDS)
    said = f"{refusal}; {server.last_words()}"
    msg = f"no right answer within {_START_SECONDS} seconds: {said}"
    raise BenchmarkError(msg)


def _ask(target: Target) -> bytes:
    connection = http.client.HTTPConnection(
        "127.0.0.1", target.port, timeout=_ANSWER_SECONDS
    )
    try:
        headers = {"Content-Type": target.content_type}
        connection.request("POST", target.path, target.body, headers)
        response = connection.getresponse()
        answer = response.read()
    finally:
        connection.close()
    if response.status != _OK:
        msg = f"status {response.status} instead of {_OK}: {answer[:200]!r}"
        raise BenchmarkError(msg)
    return answer


def _compare(answer: bytes, workload: Workload) -> None:
    try:
        is_right = json.loads(answer) == workload.answer
    except ValueError:
        is_right = False
    if not is_right:
        msg = f"answered {answer[:200]!r} instead of {workload.answer}"
        raise BenchmarkError(msg)
