"""A predictor process as the worker sees it: started, given calls, asked, ended."""

import asyncio
import socket
from asyncio.subprocess import DEVNULL
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from time import monotonic
from typing import Any, NamedTuple

import msgspec

from cortex_server.board import Board
from cortex_server.manifest import StartFailure
from cortex_server.restart import ending
from cortex_server.worker.answer import Answer
from cortex_server.worker.description import Description
from cortex_server.worker.processes.channel import Channel
from cortex_server.worker.processes.content import head_of, values_of_call
from cortex_server.worker.processes.errand import Errand
from cortex_server.worker.processes.frame import Kind
from cortex_server.worker.processes.relay import Relay
from cortex_server.worker.user_code import StartError

_LAST_WORDS = 1.0
"""Seconds that what a process has said before its end gets to arrive."""

_Take = Callable[[int, list[Any], bytes], None]

_GONE = "the predictor process is gone"


class Program(NamedTuple):
    """What a predictor process runs, and what it shares with the worker."""

    command: tuple[str, ...]
    arguments: tuple[str, ...]
    descriptors: tuple[int, ...]
    log: int


class Member:
    """One life of a predictor process.

    Args:
        board: Its counters.
        freed: Called when it has ended a call.
    """

    def __init__(self, board: Board, freed: Callable[[], None]) -> None:
        self.errands: dict[int, Errand] = {}
        """What it has been given and not ended yet, in order."""
        self.description: Description
        """What its predictor says of itself, once it is ready."""
        self.since = monotonic()
        self.ended: asyncio.Task[str]
        """Done when the process is gone; says how it ended."""
        self._board = board
        self._freed = freed
        self._channel = Channel(self)
        self._numbers = count(1)
        self._questions: dict[int, asyncio.Future[Any]] = {}
        self._is_ready: asyncio.Future[Description]
        self._is_ready = asyncio.get_running_loop().create_future()
        self._is_silent = asyncio.Event()
        self._takes: dict[int, _Take] = {
            Kind.ANSWER: self._answered,
            Kind.FREED: self._was_freed,
            Kind.CHUNK: self._passed_on,
            Kind.END: self._ended,
            Kind.TOLD: self._told,
            Kind.READY: self._introduced,
            Kind.FAILED: self._failed,
        }

    async def start(self, program: Program) -> None:
        """Start the process, and wait until its predictor is ready.

        Raises:
            StartError: It failed or died before that.
        """
        self._board.begun = 0
        await self._spawn(program)
        await asyncio.wait(
            (self._is_ready, self.ended), return_when=asyncio.FIRST_COMPLETED
        )
        if not self._is_ready.done():
            message = f"a predictor process {self.ended.result()} while it started"
            raise StartError(StartFailure(message=message))
        self.description = self._is_ready.result()

    def send(self, errand: Errand) -> None:
        """Have it run a call."""
        if errand.prediction is None:
            return
        call, number = errand.prediction.call, next(self._numbers)
        errand.carrier, errand.number = self, number
        self.errands[number] = errand
        self._channel.send(Kind.CALL, number, values_of_call(call), call.body)

    def give_up(self, errand: Errand) -> None:
        """Nobody waits for a call any more; it ends all the same."""
        self._channel.send(Kind.GIVE_UP, errand.number)

    def has_begun(self, errand: Errand) -> bool:
        """Whether it may have run a part of a call."""
        return errand.number <= self._board.begun

    async def ask(self, name: str, data: Any) -> Any:  # noqa: ANN401  # plain data
        """Have it reply to a question.

        Raises:
            ConnectionError: It is gone.
            RuntimeError: It could not; the message says why.
        """
        if self._is_silent.is_set():
            raise ConnectionError(_GONE)
        number = next(self._numbers)
        reply = self._questions[number] = asyncio.get_running_loop().create_future()
        self._channel.send(Kind.ASK, number, (name, data))
        return await reply

    def close(self) -> None:
        """Let it end: that is what it does when its channel is closed."""
        self._channel.close()

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()

    def received(self, kind: int, number: int, values: list[Any], body: bytes) -> None:
        """Of the channel: a frame has come."""
        self._takes[kind](number, values, body)

    def read_all(self) -> None:
        """Of the channel: nothing more for now."""

    def lost(self) -> None:
        """Of the channel: it is closed, so the process is of no use any more."""
        self._is_silent.set()
        asyncio.get_running_loop().call_later(_LAST_WORDS, self.kill)
        questions, self._questions = self._questions, {}
        for reply in questions.values():
            if not reply.done():
                reply.set_exception(ConnectionError(_GONE))

    def _answered(self, number: int, values: list[Any], body: bytes) -> None:
        head = head_of(values, body)
        if head.is_stream:
            self._begin(self.errands[number], head.answer)
            return
        prediction = self._end_errand(number).prediction
        if prediction is None:
            return
        if head.is_followed:
            head.answer.after = partial(self._channel.send, Kind.WRITTEN, number)
        prediction.end(head.answer)

    def _end_errand(self, number: int) -> Errand:
        """Have something else done, before what has been done is written."""
        errand = self.errands.pop(number)
        self._freed()
        return errand

    def _was_freed(self, number: int, _values: list[Any], _body: bytes) -> None:
        self._end_errand(number)

    def _begin(self, errand: Errand, answer: Answer) -> None:
        prediction, number = errand.prediction, errand.number
        if prediction is None:
            return

        def took(size: int) -> None:
            self._channel.send(Kind.TAKEN, number, (size,))

        relay = Relay(prediction, answer, took, errand.give_up)
        errand.relay = prediction.work = answer.stream = relay
        prediction.end(answer)

    def _passed_on(self, number: int, _values: list[Any], chunk: bytes) -> None:
        if (relay := self.errands[number].relay) is not None:
            relay.put(chunk)

    def _ended(self, number: int, values: list[Any], last: bytes) -> None:
        errand = self._end_errand(number)
        if errand.relay is not None:
            errand.prediction = None
            errand.relay.finish((*values, last))

    def _told(self, number: int, values: list[Any], _body: bytes) -> None:
        reply = self._questions.pop(number)
        data, error = values
        if reply.done():
            return
        if error is None:
            reply.set_result(data)
        else:
            reply.set_exception(RuntimeError(error))

    def _introduced(self, _number: int, _values: list[Any], body: bytes) -> None:
        self._is_ready.set_result(msgspec.json.decode(body, type=Description))

    def _failed(self, _number: int, _values: list[Any], body: bytes) -> None:
        failure = msgspec.json.decode(body, type=StartFailure)
        self._is_ready.set_exception(StartError(failure))

    async def _spawn(self, program: Program) -> None:
        ours, its = socket.socketpair()
        try:
            with its:
                self._process = await _started(program, its.fileno())
        except OSError as error:
            ours.close()
            message = f"a predictor process cannot be started: {error.strerror}"
            raise StartError(StartFailure(message=message)) from error
        self.ended = asyncio.create_task(self._end())
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: self._channel, sock=ours)

    async def _end(self) -> str:
        code = await self._process.wait()
        with suppress(TimeoutError):  # a child of its own may hold the channel open
            async with asyncio.timeout(_LAST_WORDS):
                await self._is_silent.wait()
        self._channel.close()
        return ending(code)


async def _started(program: Program, channel: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(*program.command, str(channel), *program.arguments),
        stdin=DEVNULL,
        stdout=program.log,
        stderr=program.log,
        pass_fds=(channel, *program.descriptors),
    )
