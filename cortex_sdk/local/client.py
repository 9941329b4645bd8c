"""Talking to the agent, and starting it where there is none."""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, NoReturn

import envoy  # noqa: F401  # the agent needs it: missing, it shows here

from cortex_sdk import errors
from cortex_sdk._target import Progress
from cortex_sdk.errors import NotFoundError, TargetError
from cortex_sdk.local.agent.launch import inherited
from cortex_sdk.local.home import Home
from cortex_sdk.local.process import Process, last_words, start_time
from cortex_sdk.local.version import VERSION

_UP, _AGAIN, _LEFT = 60.0, 3.0, 60.0
_POLL = 0.05
_LOG_LIMIT = 10 << 20
_ANSWER = 30.0

Json = dict[str, Any]


class Client:
    """The agent of a home as an object; each call raises a CortexError."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def get(self, path: str) -> Any:  # noqa: ANN401  # decoded JSON
        """Ask for something that is known at once."""
        self._ensure()
        try:
            return self._get(path)
        except _AgentDiedError:
            self._ensure()
        return self._get(path)

    def do(self, method: str, path: str, progress: Progress, body: bytes = b"") -> Json:
        """Have something done, and pass on what the agent says meanwhile.

        An agent that dies over it is started again and asked again, once: what it
        had finished by then is not done twice.
        """
        try:
            return self._do(method, path, progress, body)
        except _AgentDiedError:
            progress("the agent ended, starting another")
        try:
            return self._do(method, path, progress, body)
        except NotFoundError:
            if method != "DELETE":
                raise
            return {}  # the next agent had finished it by then
        except _AgentDiedError as error:
            msg = f"the agent ended twice over this; see {self._home.agent_log}"
            raise TargetError(msg) from error

    def is_up(self) -> bool:
        """Whether an agent answers right now; starts none."""
        return self._about() is not None

    def wait_until_gone(self) -> None:
        """Return when the agent has ended."""
        deadline = time.monotonic() + _ANSWER
        while self.is_up() and time.monotonic() < deadline:
            time.sleep(_POLL)

    def _get(self, path: str) -> Any:  # noqa: ANN401  # decoded JSON
        with self._request("GET", path, timeout=_ANSWER) as response:
            answer = json.loads(response.read())
        if response.status >= HTTPStatus.BAD_REQUEST:
            _fail(answer)
        return answer

    def _do(self, method: str, path: str, progress: Progress, body: bytes) -> Json:
        self._ensure()
        with self._request(method, path, body=body) as response:
            return _outcome(response, progress)

    def _died(self) -> str:
        return f"the agent ended; see {self._home.agent_log}"

    def _ensure(self) -> None:
        """Have an agent of this version, from an installation that is still there."""
        about = self._about()
        if about is not None and not _fits(about):
            self._replace(about)
            about = None
        if about is None:
            self._home.make()
            self._start()

    def _start(self) -> None:
        """Start an agent and wait until one answers, be it somebody else's."""
        deadline = time.monotonic() + _UP
        again = 0.0
        while self._about() is None:
            now = time.monotonic()
            if now > deadline:
                log = self._home.agent_log
                msg = f"the agent did not answer within {_UP:g} seconds; see {log}"
                raise TargetError(msg)
            if now > again:
                self._spawn()
                again = time.monotonic() + _AGAIN
            time.sleep(_POLL)

    def _spawn(self) -> None:
        """Run the starter, which ends when its agent is up, or there is another."""
        log = self._home.agent_log
        command = [sys.executable, "-P", "-m", "cortex_sdk.local"]
        with self._home.writing():
            if log.exists() and log.stat().st_size > _LOG_LIMIT:
                log.replace(f"{log}.1")
            starter = Process.spawn(command, inherited(os.environ, self._home), log)
        if starter.exit_status(wait=_UP):
            msg = f"the agent cannot start{last_words(log)}; see {log}"
            raise TargetError(msg)

    def _replace(self, about: Json) -> None:
        """Have an agent of another version end; what it runs stays."""
        pid = about["pid"]
        started = start_time(pid)
        with suppress(_AgentDiedError), self._request("POST", "/leave", timeout=_LEFT):
            """It answers when it is about to end."""
        deadline = time.monotonic() + _ANSWER
        while started is not None and start_time(pid) == started:
            if time.monotonic() > deadline:
                version = about["version"]
                msg = f"the agent of {version} (pid {pid}) does not end; end it"
                raise TargetError(msg)
            time.sleep(_POLL)

    def _about(self) -> Json | None:
        with (
            suppress(_AgentDiedError),
            self._request("GET", "/", timeout=_ANSWER) as response,
        ):
            about: Json = json.loads(response.read())
            return about
        return None

    @contextmanager
    def _request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        timeout: float | None = None,
    ) -> Iterator[HTTPResponse]:
        connection = _UnixConnection(self._home.agent_socket, timeout)
        try:
            connection.request(method, path, body)
            yield connection.getresponse()
        except TimeoutError as error:
            msg = f"the agent does not answer; see {self._home.agent_log}"
            raise TargetError(msg) from error
        except (OSError, HTTPException) as error:
            raise _AgentDiedError(self._died()) from error
        finally:
            connection.close()


class _UnixConnection(HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: Path, timeout: float | None) -> None:
        super().__init__("agent", timeout=timeout)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _AgentDiedError(TargetError):
    """Nothing answers on the socket, or what answered has ended."""


def _fits(about: Json) -> bool:
    """Whether it is of this version, and its interpreter is still installed."""
    python = Path(about.get("python", ""))
    return about.get("version") == VERSION and python.is_file()


def _outcome(response: HTTPResponse, progress: Progress) -> Json:
    """Pass on progress until the agent says how it ended."""
    for line in response:
        event = json.loads(line)
        match event.get("event"):
            case "progress":
                progress(event["text"])
            case "done":
                return dict(event)
            case _:
                _fail(event)
    msg = "the answer has no end"
    raise HTTPException(msg)


def _fail(event: Json) -> NoReturn:
    kind = getattr(errors, str(event.get("error")), TargetError)
    message = event.get("message") or "the agent failed; see its agent.log"
    raise kind(message, event.get("traceback", ""))
