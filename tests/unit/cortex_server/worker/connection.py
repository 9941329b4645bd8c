"""A connection without a network: a protocol, and a transport that remembers."""

import asyncio
import os
from typing import Any

from sanic import Sanic
from sanic.server.protocols.http_protocol import HttpProtocol

from cortex_server import board as board_module
from cortex_server.board import Board
from cortex_server.interface import interface_of
from cortex_server.manifest import Manifest, PredictorModule
from cortex_server.worker.app import Application, create_app
from cortex_server.worker.description import description_of
from cortex_server.worker.execution import Threads
from cortex_server.worker.followers import hooks_for
from cortex_server.worker.pace import Pace
from cortex_server.worker.protocol import PredictProtocol
from cortex_server.worker.runner import Runner
from cortex_server.worker.service import Service

SOON = 0.1
"""Seconds; what is to happen within them is waited for."""


class Transport(asyncio.Transport):
    """Takes everything at once, and remembers what was asked of it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.protocol: Any = None
        self.said = b""
        self.is_reading = True
        self.resumed = 0
        self.is_over = False
        self.left = 0

    def write(self, data: Any) -> None:
        assert not self.is_over
        self.said += data

    def is_closing(self) -> bool:
        return self.is_over

    def close(self) -> None:
        if not self.is_over:
            self.is_over = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        assert not self.is_over
        self.is_reading = True
        self.resumed += 1

    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self.left


class InPlace(Pace):
    """For good, however busy the machine is."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.in_place = True

    def took_in_place(self, seconds: float) -> None:
        pass


class Server:
    """An application as a worker has it, with its counters at hand."""

    def __init__(self, predictor: Any, **fields: Any) -> None:
        Sanic.test_mode = True
        fd = board_module.create()
        self.board = Board(fd)
        os.close(fd)
        reference = PredictorModule(module="app", qualname="P")
        manifest = Manifest(name="p", bundle="0", predictor=reference, **fields)
        interface = interface_of(type(predictor))
        threads = Threads(manifest.threads_per_process, "test")
        hooks = hooks_for(predictor, interface, (), manifest, self.board)
        self.runner = Runner(predictor, interface, threads, hooks)
        self.service = Service(manifest, self.board, self.runner)
        self.app: Application = create_app(
            manifest, description_of(interface), self.service, "/echo"
        )

    async def start(self) -> None:
        """Get the application ready, as a listening server does."""
        _watch_threads(asyncio.get_running_loop())
        await self.app._startup()

    def connect(
        self,
        kind: type[HttpProtocol] = PredictProtocol,
        together: set[Any] | None = None,
    ) -> "Connection":
        """A client of it, one of those that are connected together."""
        return Connection(self, kind, together)


class Connection:
    """One client."""

    def __init__(
        self,
        server: Server,
        kind: type[HttpProtocol],
        together: set[Any] | None = None,
    ) -> None:
        self.transport = Transport()
        loop = asyncio.get_running_loop()
        self.protocol: Any = kind(loop=loop, app=server.app, connections=together)
        self.transport.protocol = self.protocol
        self.protocol.connection_made(self.transport)

    async def send(self, data: bytes) -> bytes:
        """What the server says to some bytes, once it has nothing more to do."""
        before = len(self.transport.said)
        if data and not self.transport.is_over:
            self.protocol.data_received(data)
        await settled()
        return self.transport.said[before:]

    async def lose(self) -> None:
        """Hang up."""
        self.transport.close()
        await settled()


def _watch_threads(loop: Any) -> None:
    """Let `settled` know of work that threads do for the loop."""
    run, loop.in_threads = loop.run_in_executor, set()

    def run_and_note(*arguments: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = run(*arguments)
        loop.in_threads.add(future)
        future.add_done_callback(loop.in_threads.discard)
        return future

    loop.run_in_executor = run_and_note


async def settled() -> None:
    """Return when the loop has nothing to do now or soon."""
    loop: Any = asyncio.get_running_loop()
    while True:
        in_threads = getattr(loop, "in_threads", ())
        if in_threads:
            await asyncio.wait(in_threads)
        while loop._ready:  # noqa: ASYNC110  # what is ready has no event
            await asyncio.sleep(0)
        due = [timer.when() for timer in loop._scheduled if not timer.cancelled()]
        is_idle = not due or min(due) > loop.time() + SOON
        if is_idle and not in_threads:
            return
        await asyncio.sleep(0.001)
