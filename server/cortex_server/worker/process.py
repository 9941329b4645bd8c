"""The life of a worker: load, construct, serve, drain, exit."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from threading import Thread
from time import monotonic
from typing import NoReturn

import uvloop
from sanic.server.async_server import AsyncioServer
from sanic.server.protocols.http_protocol import HttpProtocol

from cortex_server.board import Board, State
from cortex_server.interface import Interface
from cortex_server.launch import START_FAILED, Launch
from cortex_server.manifest import Manifest, StartFailure
from cortex_server.worker import logs
from cortex_server.worker.admission import Admission
from cortex_server.worker.app import create_app
from cortex_server.worker.predictor import start_predictor
from cortex_server.worker.protocol import PredictProtocol
from cortex_server.worker.service import Runs, Service
from cortex_server.worker.user_code import StartError

_BACKLOG = 2048
_POLL = 0.02


def main(descriptors: tuple[int, int, int], arguments: list[str]) -> NoReturn:
    """Run a worker to its end.

    Args:
        descriptors: Bound socket to listen on, counters, and a pipe that the
            supervisor holds open while it lives.
        arguments: Command line of the replica.
    """
    listener, lifeline, board = descriptors[0], descriptors[2], Board(descriptors[1])
    Thread(target=_follow, args=(lifeline, board), daemon=True).start()
    launch = Launch.parse(arguments)
    manifest = Manifest.read(launch.manifest)
    labels = {"api": manifest.name, "revision": manifest.revision}
    logger = logs.set_up(manifest.log_level, {**labels, "replica": launch.replica})
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            public = socket.socket(fileno=listener)
            runner.run(_serve(manifest, launch, board, public, lifeline))
            _exit(0)
    except StartError as error:
        failure = error.failure
        launch.report(failure)
        told = {"exception": failure.traceback} if failure.traceback else {}
        logger.error(failure.message, **told)  # noqa: TRY400  # told in the user's terms
        _exit(START_FAILED)


async def _serve(
    manifest: Manifest,
    launch: Launch,
    board: Board,
    public: socket.socket,
    lifeline: int,
) -> None:
    """Construct the predictor, on the loop that it will run on, and serve it."""
    interface, runner = await start_predictor(manifest, launch, board)
    worker = Worker(manifest, launch, board, interface, runner)
    await worker.serve(public, lifeline)


def _follow(lifeline: int, board: Board) -> None:
    """End a start whose supervisor is gone; a worker that serves drains, see serve."""
    os.read(lifeline, 1)  # there is nothing to read but the end
    if board.state is State.STARTING:
        os._exit(1)


def _exit(code: int) -> NoReturn:
    """End at once: a thread that hangs in the user's code must not hold us up."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # the user's code has replaced it
            stream.flush()
    os._exit(code)


class Worker:
    """One predictor behind one listening socket."""

    def __init__(
        self,
        manifest: Manifest,
        launch: Launch,
        board: Board,
        interface: Interface,
        runner: Runs,
    ) -> None:
        self._manifest = manifest
        self._launch = launch
        self._board = board
        self._runner = runner
        service = Service(manifest, board, runner)
        self._admission = Admission(launch.keys) if launch.keys else None
        self._app = create_app(
            manifest, interface, service, launch.endpoint, self._admission
        )

    async def serve(self, listener: socket.socket, lifeline: int) -> None:
        """Listen, answer until told to end, then drain."""
        end = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, end.set)
        loop.add_reader(lifeline, end.set)  # readable when the supervisor is gone
        if self._admission is not None:
            self._admission.follow()
        server = await self._listen(listener)
        if self._board.state is State.STARTING:
            self._board.state = State.READY
        await end.wait()
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
        await server.start_serving()  # type: ignore[no-untyped-call]  # Sanic's
        return server

    async def _drain(self, server: AsyncioServer) -> None:
        self._app.config.KEEP_ALIVE = False
        _close_when_answered(server.connections)
        await asyncio.sleep(_POLL)  # connections that the system has taken come in
        server.close()  # type: ignore[no-untyped-call]  # Sanic's
        drain = self._manifest.drain(self._launch.withdraw)
        await _finish(server.connections, drain.requests)
        await self._runner.drain(drain.hooks)


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
