"""The life of a predictor process: construct, run calls, end with the worker."""

import asyncio
import socket
from functools import partial

import uvloop

from cortex_server.board import Board
from cortex_server.launch import START_FAILED, Launch
from cortex_server.manifest import Manifest
from cortex_server.worker.description import description_of
from cortex_server.worker.predictor import start_predictor
from cortex_server.worker.processes.child import Child
from cortex_server.worker.processes.frame import Kind, head
from cortex_server.worker.program import begin, end, follow, keep
from cortex_server.worker.user_code import StartError


def main(number: int, descriptors: tuple[int, int, int], arguments: list[str]) -> None:
    """Run a predictor process to its end.

    Args:
        number: Which of the boards is its own.
        descriptors: Counters, a pipe that the supervisor holds open while it lives,
            and the socket to the worker.
        arguments: Command line of the replica.
    """
    boards, lifeline, channel = descriptors
    keep(descriptors)
    follow(lifeline, Board(boards))
    launch, manifest, _ = begin(arguments)
    worker = socket.socket(fileno=channel)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_live(manifest, launch, Board(boards, number), worker))
    except StartError as error:
        body = error.failure.json()
        worker.sendall(head(Kind.FAILED, 0, (), len(body)) + body)
        end(START_FAILED)


async def _live(
    manifest: Manifest, launch: Launch, board: Board, worker: socket.socket
) -> None:
    interface, runner = await start_predictor(manifest, launch, board)
    can_stop = interface.predict.is_async or manifest.batching is not None
    child = Child(runner, board, can_stop=can_stop, lost=partial(end, 0))
    loop = asyncio.get_running_loop()
    await loop.create_unix_connection(lambda: child.channel, sock=worker)
    child.channel.send(Kind.READY, body=description_of(interface).json())
    await asyncio.Event().wait()
