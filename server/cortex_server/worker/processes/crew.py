"""The predictor processes of a replica: all started, asked, and started again."""

import asyncio
import os
import sys
from contextlib import suppress
from time import monotonic
from typing import Any, Self

import structlog

from cortex_server.board import Board
from cortex_server.manifest import Manifest, StartFailure
from cortex_server.restart import Backoff
from cortex_server.worker.description import Description
from cortex_server.worker.processes.dispatcher import Dispatcher
from cortex_server.worker.processes.frame import DRAIN
from cortex_server.worker.processes.member import Member, Program
from cortex_server.worker.user_code import StartError

_COMMAND = (sys.executable, "-P", "-m", "cortex_server.worker.processes")
_GOODBYE = 1.0
"""Seconds that a process has to end once it need not do any more."""


class Crew:
    """Runs predictions in processes of their own: the Runner of a worker without one.

    Args:
        manifest: What they serve.
        board: The counters of the worker; `boards` are theirs, one each.
        programs: What they run, one each.
    """

    def __init__(
        self,
        manifest: Manifest,
        board: Board,
        boards: list[Board],
        programs: list[Program],
    ) -> None:
        self._dispatcher = Dispatcher(board, may_repeat=manifest.idempotent)
        batching = manifest.batching
        # With batches, the next one waits where the last one runs.
        ahead = 2 * batching.max_batch_size if batching else 1
        self._room = manifest.threads_per_process * ahead
        self._board = board
        self._boards = boards
        self._programs = programs
        self._members: dict[int, Member] = {}
        """Those that are ready, by number."""
        self._keepers: list[asyncio.Task[None]] = []
        self.run = self._dispatcher.run

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        shared: tuple[int, int],
        logs: tuple[int, ...],
        arguments: list[str],
    ) -> Self:
        """The crew of a replica.

        Args:
            manifest: What it serves.
            shared: Descriptors of the boards and of the supervisor's lifeline.
            logs: Pipes to log to, one for each process.
            arguments: Command line of the replica.
        """
        boards, lifeline = shared
        numbers = range(1, len(logs) + 1)
        programs = [
            Program(
                (*_COMMAND, str(number), str(boards), str(lifeline)),
                tuple(arguments),
                shared,
                log,
            )
            for number, log in zip(numbers, logs, strict=True)
        ]
        theirs = [Board(boards, number) for number in numbers]
        return cls(manifest, Board(boards), theirs, programs)

    async def start(self) -> Description:
        """Start all; what the predictor says of itself.

        Raises:
            StartError: One of them cannot be started.
        """
        numbers = range(len(self._programs))
        members = await asyncio.gather(*map(self._started, numbers))
        description = members[0].description
        self._dispatcher.set_room(sys.maxsize if description.is_async else self._room)
        for number, member in enumerate(members):
            self._join(number, member)
            keep = asyncio.create_task(self._keep(number, member))
            self._keepers.append(keep)
        return description

    async def ask(self, name: str, data: Any) -> list[Any]:  # noqa: ANN401  # plain data
        """Ask all that are ready; replies in the order of their numbers.

        Raises:
            RuntimeError: One could not reply; the message says why.
            ConnectionError: One died.
        """
        members = [member for _, member in sorted(self._members.items())]
        return await asyncio.gather(*(member.ask(name, data) for member in members))

    async def drain(self, seconds: float) -> None:
        """Let accepted hooks finish for so long at most, and end all processes."""
        for keeper in self._keepers:
            keeper.cancel()
        members = list(self._members.values())
        farewells = [_dismiss(member, seconds) for member in members]
        await asyncio.gather(*farewells)
        for board in self._boards:
            board.settle_hooks()

    async def _started(self, number: int) -> Member:
        member = Member(self._boards[number], self._dispatcher.go_on)
        await member.start(self._programs[number])
        return member

    def _join(self, number: int, member: Member) -> None:
        self._members[number] = member
        self._dispatcher.join(member)

    async def _keep(self, number: int, member: Member) -> None:
        """Start another process whenever one has ended."""
        backoff = Backoff()
        while True:
            how = await asyncio.shield(member.ended)
            del self._members[number]
            self._dispatcher.leave(member, how)
            self._bury(number)
            pause = backoff.after(monotonic() - member.since)
            event = f"predictor process {how}, starting another"
            structlog.get_logger().error(event, process=number, seconds=pause)
            await asyncio.sleep(pause)
            member = await self._started_at_last(number, backoff)
            self._board.count_restart()
            self._join(number, member)

    async def _started_at_last(self, number: int, backoff: Backoff) -> Member:
        while True:
            try:
                return await self._started(number)
            except StartError as error:
                pause = backoff.after(0)
                _tell(error.failure, number, pause)
            self._bury(number)
            await asyncio.sleep(pause)

    def _bury(self, number: int) -> None:
        """Close the account of a process that has ended."""
        self._boards[number].settle_hooks()
        with suppress(OSError):
            os.write(self._programs[number].log, b"\n")  # it may have left half a line


async def _dismiss(member: Member, seconds: float) -> None:
    with suppress(TimeoutError, ConnectionError, RuntimeError):
        async with asyncio.timeout(seconds + _GOODBYE):
            await member.ask(DRAIN, seconds)
    member.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(_GOODBYE):
            await asyncio.shield(member.ended)
            return
    member.kill()
    await member.ended


def _tell(failure: StartFailure, number: int, pause: float) -> None:
    told = {"exception": failure.traceback} if failure.traceback else {}
    event = f"{failure.message}; trying again"
    structlog.get_logger().error(event, process=number, seconds=pause, **told)
