"""A predictor process: runs the calls that it is given."""

import asyncio
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

from cortex_server.board import Board
from cortex_server.worker.answer import Answer, Streamed
from cortex_server.worker.call import Call
from cortex_server.worker.prediction import Prediction
from cortex_server.worker.processes.channel import Channel
from cortex_server.worker.processes.content import call_of, values_of_answer
from cortex_server.worker.processes.frame import DRAIN, Kind
from cortex_server.worker.processes.outlet import FrameOutlet
from cortex_server.worker.runner import Runner


class Child:
    """Keeps account of the calls of this process, as Service does of a replica's.

    Args:
        runner: Runs them.
        board: Told which call has been begun last: if this process dies, those after
            it have not been.
        can_stop: Whether a call that nobody waits for any more is over at once; one
            that runs in a thread goes on, and holds its place until it ends.
        end: Called when the worker is gone.
    """

    def __init__(
        self,
        runner: Runner,
        board: Board,
        *,
        can_stop: bool,
        lost: Callable[[], None],
    ) -> None:
        self.channel = Channel(self)
        self.lost = lost
        self._runner = runner
        self._board = board
        self._can_stop = can_stop
        self._calls: dict[int, Call] = {}
        self._running: dict[int, Prediction] = {}
        self._given_up: set[int] = set()
        self._following: dict[int, Callable[[], None]] = {}
        self._outlets: dict[int, FrameOutlet] = {}
        self._streams: dict[Prediction, FrameOutlet] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def received(self, kind: int, number: int, values: list[Any], body: bytes) -> None:
        """Of the channel: a frame has come."""
        if kind == Kind.CALL:
            self._calls[number] = call_of(values, body)
        elif kind == Kind.WRITTEN:
            self._following.pop(number)()
        elif kind == Kind.GIVE_UP:
            self._give_up(number)
        elif kind == Kind.TAKEN:
            if number in self._outlets:
                self._outlets[number].took(*values)
        elif kind == Kind.ASK:
            reply = asyncio.get_running_loop().create_task(self._tell(number, *values))
            self._tasks.add(reply)
            reply.add_done_callback(self._tasks.discard)

    def read_all(self) -> None:
        """Run the calls that have come, without those given up right after."""
        calls, self._calls = self._calls, {}
        for number, call in calls.items():
            self._board.begun = number
            reply = partial(self._reply, number)
            prediction = Prediction(self, call, reply, monotonic())
            self._running[number] = prediction
            self._runner.run(prediction)

    def count(self, prediction: Prediction, status: int) -> None:
        """Of a prediction: it is over."""
        prediction.is_over = True
        prediction.work = prediction.stream = None
        if (outlet := self._streams.pop(prediction, None)) is not None:
            outlet.status = status

    def too_late(self, prediction: Prediction) -> None:
        """Never: the worker looks at the clock."""

    def _reply(self, number: int, answer: Answer) -> None:
        if answer.stream is not None:
            self._stream(number, answer, answer.stream)
            return
        del self._running[number]
        if number in self._given_up:
            self._given_up.remove(number)
            self.channel.send(Kind.FREED, number)
            return
        if answer.after is not None:
            self._following[number] = answer.after
        self.channel.send(Kind.ANSWER, number, values_of_answer(answer), answer.body)

    def _stream(self, number: int, answer: Answer, stream: Streamed) -> None:
        def ended() -> None:
            del self._running[number], self._outlets[number]

        prediction = self._running[number]
        outlet = FrameOutlet(self.channel, number, ended)
        self._outlets[number] = self._streams[prediction] = outlet
        self.channel.send(Kind.ANSWER, number, values_of_answer(answer))
        stream.attach(outlet)
        if number in self._given_up:
            self._given_up.remove(number)
            prediction.cancel()

    def _give_up(self, number: int) -> None:
        if self._calls.pop(number, None):
            self.channel.send(Kind.FREED, number)
        elif number not in self._running:
            self._following.pop(number, None)  # answered already, but not sent
        elif number in self._outlets:
            self._running[number].cancel()
        elif self._can_stop:
            self._running.pop(number).cancel()
            self.channel.send(Kind.FREED, number)
        else:
            self._given_up.add(number)

    async def _tell(self, number: int, name: str, data: Any) -> None:  # noqa: ANN401  # plain data
        reply = error = None
        try:
            if name == DRAIN:
                await self._runner.drain(data)
            else:
                (reply,) = await self._runner.ask(name, data)
        except Exception as raised:  # noqa: BLE001  # whoever asks is told
            error = f"{type(raised).__name__}: {raised}"
        self.channel.send(Kind.TOLD, number, (reply, error))
