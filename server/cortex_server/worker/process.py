"""The life of a worker: load, construct, serve, drain, exit."""

import asyncio
import signal
import socket
from time import monotonic
from typing import NamedTuple, NoReturn

import uvloop
from sanic.server.async_server import AsyncioServer
from sanic.server.protocols.http_protocol import HttpProtocol

from cortex_server.board import Board, State
from cortex_server.launch import START_FAILED, Launch
from cortex_server.manifest import Manifest, StartFailure
from cortex_server.worker.admission import Admission
from cortex_server.worker.app import create_app
from cortex_server.worker.description import Description, description_of
from cortex_server.worker.loader import unpack_project
from cortex_server.worker.predictor import start_predictor
from cortex_server.worker.program import begin, collect_garbage, end, follow, keep
from cortex_server.worker.protocol import PredictProtocol
from cortex_server.worker.service import Runs, Service
from cortex_server.worker.traced import TracedService
from cortex_server.worker.tracing import tracing_for
from cortex_server.worker.user_code import StartError

_BACKLOG = 2048
_POLL = 0.02


Started = tuple[Description, Runs]
"""A predictor that is ready: what it is like, and what runs it."""


class Descriptors(NamedTuple):
    """What a worker gets from its supervisor."""

    listener: int
    """Bound socket to listen on."""
    boards: int
    """Counters."""
    lifeline: int
    """Pipe that the supervisor holds open while it lives."""
    logs: tuple[int, ...]
    """Pipes for what the predictor processes log, if there are any."""


def main(descriptors: Descriptors, arguments: list[str]) -> NoReturn:
    """Run a worker to its end.

    Args:
        descriptors: What it was given.
        arguments: Command line of the replica.
    """
    listener, boards, lifeline, logs = descriptors
    keep((listener, boards, lifeline, *logs))
    follow(lifeline, Board(boards))
    launch, manifest, logger = begin(arguments)
    worker = Worker(manifest, launch, descriptors)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(worker.live(arguments))
            end(0)
    except StartError as error:
        failure = error.failure
        launch.report(failure)
        told = {"exception": failure.traceback} if failure.traceback else {}
        logger.error(failure.message, **told)  # noqa: TRY400  # told in the user's terms
        end(START_FAILED)


class Worker:
    """One listening socket, and the predictors behind it."""

    def __init__(
        self, manifest: Manifest, launch: Launch, descriptors: Descriptors
    ) -> None:
        self._manifest = manifest
        self._launch = launch
        self._descriptors = descriptors
        self._board = Board(descriptors.boards)
        self._admission = Admission(launch.keys) if launch.keys else None
        self._tracing = tracing_for(manifest.name, manifest.revision, launch.replica)

    async def live(self, arguments: list[str]) -> None:
        """Construct the predictor, on the loop that it will run on, and serve it."""
        description, self._runner = await self._start(arguments)
        service = (
            TracedService(self._manifest, self._board, self._runner, self._tracing)
            if self._tracing
            else Service(self._manifest, self._board, self._runner)
        )
        self._app = create_app(
            self._manifest,
            description,
            service,
            self._launch.endpoint,
            self._admission,
        )
        await self._serve(socket.socket(fileno=self._descriptors.listener))

    async def _start(self, arguments: list[str]) -> Started:
        if self._manifest.processes_per_replica > 1:
            return await self._start_processes(arguments)
        interface, runner = await start_predictor(
            self._manifest, self._launch, self._board
        )
        self._board.predictors = 1
        return description_of(interface), runner

    async def _start_processes(self, arguments: list[str]) -> Started:
        from cortex_server.worker.processes.crew import Crew  # noqa: PLC0415  # rare

        collect_garbage()
        unpack_project(self._manifest, self._launch)  # once for all
        _, boards, lifeline, logs = self._descriptors
        crew = Crew.of(self._manifest, (boards, lifeline), logs, arguments)
        return await crew.start(), crew

    async def _serve(self, listener: socket.socket) -> None:
        """Listen, answer until told to end, then drain."""
        leave, lifeline = asyncio.Event(), self._descriptors.lifeline
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, leave.set)
        loop.add_reader(lifeline, leave.set)  # readable when the supervisor is gone
        if self._admission is not None:
            self._admission.follow()
        server = await self._listen(listener)
        if self._board.state is State.STARTING:
            self._board.state = State.READY  # before the first answer is seen
        await server.start_serving()  # type: ignore[no-untyped-call]  # Sanic's
        await leave.wait()
        loop.remove_reader(lifeline)
        listener.listen(0)  # the system takes no more connections
        await self._drain(server)

    async def _listen(self, listener: socket.socket) -> AsyncioServer:
        server = await self._app.create_server(
            sock=listener,
            backlog=_BACKLOG,
            protocol=PredictProtocol,
            asyncio_server_kwargs={"start_serving": False},
        )
        if server is None:
            msg = "Sanic made no server"
            raise RuntimeError(msg)
        await server.startup()  # type: ignore[no-untyped-call]  # Sanic's
        try:
            listener.listen(_BACKLOG)  # uvloop would not tell that it failed
        except OSError as error:  # bound by two that started at the same time
            msg = f"cannot listen on {self._launch.listen}: {error.strerror}"
            raise StartError(StartFailure(message=msg)) from error
        return server

    async def _drain(self, server: AsyncioServer) -> None:
        self._app.config.KEEP_ALIVE = False
        _close_when_answered(server.connections)
        await asyncio.sleep(_POLL)  # connections that the system has taken come in
        server.close()  # type: ignore[no-untyped-call]  # Sanic's
        drain = self._manifest.drain(self._launch.withdraw)
        await _finish(server.connections, drain.requests)
        await self._runner.drain(drain.hooks)
        if self._tracing is not None:
            await self._tracing.flush()


async def _finish(connections: set[HttpProtocol], seconds: float) -> None:
    """Close idle connections, and each other one when it has been answered."""
    limit = monotonic() + seconds
    while connections and monotonic() < limit:
        _close_when_answered(connections)
        await asyncio.sleep(_POLL)  # what has been sent to us comes in
        for connection in tuple(connections):
            if not connection.recv_buffer:
                connection.close_if_idle()


def _close_when_answered(connections: set[HttpProtocol]) -> None:
    for connection in connections:
        if connection.http:
            connection.http.keep_alive = False
