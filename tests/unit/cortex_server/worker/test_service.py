import asyncio
import gc
import os
import threading
from collections.abc import Callable
from typing import Any

import orjson
import pydantic
import pytest
from sanic.exceptions import SanicException

from cortex_server import board as board_module
from cortex_server.board import Board
from cortex_server.interface import interface_of
from cortex_server.manifest import Manifest, PredictorModule
from cortex_server.worker.answer import Answer
from cortex_server.worker.call import Call
from cortex_server.worker.execution import Threads
from cortex_server.worker.followers import hooks_for
from cortex_server.worker.pace import PROOF
from cortex_server.worker.prediction import Prediction
from cortex_server.worker.runner import LARGE, Runner
from cortex_server.worker.service import Service

LIMIT = 10


class Client:
    """Takes answers, as a connection does."""

    def __init__(self, predictor: Any, **fields: Any) -> None:
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

    def send(self, body: bytes = b"1") -> "Sent":
        fields = [(b"content-type", b"application/json")]
        return Sent(self.service, Call(body, b"", fields))

    async def ask(self, body: bytes = b"1") -> Answer:
        return await self.send(body).answer()


class Sent:
    def __init__(self, service: Service, call: Call) -> None:
        self._future: asyncio.Future[Answer] = (
            asyncio.get_running_loop().create_future()
        )
        self.prediction = service.begin(call, self._future.set_result)

    @property
    def is_answered(self) -> bool:
        return self._future.done()

    async def answer(self) -> Answer:
        async with asyncio.timeout(LIMIT):
            return await self._future


class Double:
    def predict(self, payload: Any) -> Any:
        return 2 * payload


class Failing:
    def predict(self) -> None:
        raise ValueError("secret")  # the user's


class Waiting:
    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.ended: list[str] = []

    async def predict(self) -> str:
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        return "done"


class Following:
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def predict(self, payload: int) -> int:
        return payload + 1

    async def post_predict(self, response: int, payload: int) -> None:
        self.seen.append((payload, response))


def run(main: Callable[[], Any]) -> Any:
    return asyncio.run(main())


def test_answers_with_what_the_predictor_returns() -> None:
    async def main() -> tuple[Answer, dict[int, int], int]:
        client = Client(Double())
        answer = await client.ask(b"[1]")
        return answer, client.board.codes, client.board.in_flight

    answer, codes, in_flight = run(main)

    assert (answer.status, orjson.loads(answer.body)) == (200, [1, 1])
    assert (codes, in_flight) == ({200: 1}, 0)


def test_an_exception_is_500_and_tells_nothing_of_it() -> None:
    async def main() -> tuple[Answer, Client]:
        client = Client(Failing())
        return await client.ask(), client

    answer, client = run(main)

    assert answer.status == 500
    assert b"secret" not in answer.body
    assert client.board.codes == {500: 1}
    assert client.board.in_flight == 0


def test_a_body_that_cannot_be_decoded_never_reaches_the_predictor() -> None:
    async def main() -> tuple[Answer, Client]:
        client = Client(Double())
        return await client.ask(b"{"), client

    answer, client = run(main)

    assert answer.status == 400
    assert client.board.in_flight == 0


def test_refuses_one_more_than_it_may_take() -> None:
    async def main() -> tuple[list[bool], int, Client]:
        predictor = Waiting()
        client = Client(predictor, max_replica_concurrency=2)
        sent = [client.send() for _ in range(3)]
        answered = [one.is_answered for one in sent]
        refused = (await sent[2].answer()).status
        predictor.gate.set()
        for one in sent[:2]:
            assert (await one.answer()).status == 200
        return answered, refused, client

    answered, refused, client = run(main)

    assert answered == [False, False, True]
    assert refused == 503
    assert client.board.refused == 1
    assert client.board.in_flight == 0


def test_a_prediction_that_takes_too_long_is_504_and_cancelled() -> None:
    async def main() -> tuple[int, list[str], Client]:
        predictor = Waiting()
        client = Client(predictor, timeout=0.02)
        status = (await client.ask()).status
        await asyncio.sleep(0)
        return status, predictor.ended, client

    status, ended, client = run(main)

    assert (status, ended) == (504, ["cancelled"])
    assert client.board.in_flight == 0


def test_a_client_that_hangs_up_frees_its_slot_at_once() -> None:
    async def main() -> tuple[dict[int, int], int, list[str], bool]:
        predictor = Waiting()
        client = Client(predictor)
        sent = client.send()
        await asyncio.sleep(0)
        assert sent.prediction is not None
        sent.prediction.cancel()
        in_flight = client.board.in_flight
        await asyncio.sleep(0)
        return client.board.codes, in_flight, predictor.ended, sent.is_answered

    assert run(main) == ({499: 1}, 0, ["cancelled"], False)


def test_the_hook_runs_after_the_answer_with_what_was_returned() -> None:
    async def main() -> tuple[list[Any], list[Any]]:
        predictor = Following()
        client = Client(predictor)
        answer = await client.ask(b"1")
        before = list(predictor.seen)
        assert answer.after is not None
        answer.after()  # what a connection does when it has written the answer
        await client.runner.drain(LIMIT)
        return before, predictor.seen

    assert run(main) == ([], [(1, 2)])


def predictions() -> int:
    return sum(isinstance(one, Prediction) for one in gc.get_objects())


@pytest.mark.parametrize("predictor", [Double(), Waiting()])
def test_a_prediction_that_is_over_leaves_nothing_to_collect(predictor: Any) -> None:
    async def main() -> None:
        client = Client(predictor)
        if isinstance(predictor, Waiting):
            predictor.gate.set()
        before = predictions()
        for _ in range(5):
            await client.ask()
        async with asyncio.timeout(LIMIT):  # a thread lets go a moment later
            while predictions() > before:  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(0.001)

    gc.disable()
    try:
        run(main)
    finally:
        gc.enable()


class Where:
    """Tells which thread it runs in."""

    def predict(self) -> str:
        return threading.current_thread().name


class Bound(Where):
    """Insists on the thread that built it, as an sqlite3 connection does."""

    def predict(self) -> str:
        name = super().predict()
        if not name.startswith("test"):
            msg = "objects created in a thread can only be used in that same thread"
            raise RuntimeError(msg)
        return name


@pytest.mark.parametrize(("predictor", "moves"), [(Where(), True), (Bound(), False)])
def test_a_quick_predict_moves_into_place_unless_it_minds(
    predictor: Where, *, moves: bool
) -> None:
    async def main() -> list[tuple[int, bytes]]:
        client = Client(predictor)
        for _ in range(PROOF):
            client.runner.pace.took_in_thread(0)
        assert client.runner.pace.in_place
        answers = [await client.ask() for _ in range(3)]
        return [(answer.status, answer.body) for answer in answers]

    answers = run(main)

    here = threading.current_thread().name.encode()
    assert {status for status, _ in answers} == {200}
    assert [body == here for _, body in answers] == [moves] * 3


class Rude(pydantic.BaseModel):
    @pydantic.field_validator("*", mode="before", check_fields=False)
    @classmethod
    def _fail(cls, value: object) -> object:
        raise RuntimeError(str(value))

    number: int


class Checked:
    def predict(self, payload: Rude) -> int:
        return payload.number


def test_a_type_that_fails_while_it_checks_is_500_and_frees_the_slot() -> None:
    async def main() -> tuple[int, int]:
        client = Client(Checked())
        answer = await client.ask(b'{"number": 1}')
        return answer.status, client.board.in_flight

    assert run(main) == (500, 0)


class SilentError(ValueError):
    def __str__(self) -> str:
        raise RuntimeError


class SilentRefusalError(SilentError, SanicException):
    status_code = 418


class Raising:
    error: type[BaseException]

    def predict(self) -> None:
        raise self.error


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize(
    ("error", "status"),
    [
        *((SilentError, 500), (SilentRefusalError, 418), (SystemExit, 500)),
        *((StopIteration, 500), (KeyboardInterrupt, 500), (BaseException, 500)),
    ],
)
def test_whatever_is_raised_is_answered(
    error: type[BaseException], status: int, *, in_place: bool
) -> None:
    async def main() -> tuple[int, int]:
        predictor = Raising()
        predictor.error = error
        client = Client(predictor)
        client.runner.pace.in_place = in_place
        return (await client.ask()).status, client.board.in_flight

    assert run(main) == (status, 0)


def test_a_call_in_a_thread_that_takes_too_long_is_504_and_heard_no_more() -> None:
    gate = threading.Event()

    class Slow:
        def predict(self, payload: int) -> int:
            gate.wait(LIMIT if payload else 0)
            return payload

    async def main() -> tuple[list[int], dict[int, int]]:
        client = Client(Slow(), timeout=0.05)
        late = await client.ask(b"1")
        gate.set()
        after = await client.ask(b"0")
        assert client.board.in_flight == 0
        return [late.status, after.status], client.board.codes

    assert run(main) == ([504, 200], {504: 1, 200: 1})


def test_a_call_that_waits_for_its_thread_is_taken_back_with_its_client() -> None:
    seen: list[int] = []
    gate = threading.Event()

    class Slow:
        def predict(self, payload: int) -> None:
            gate.wait(LIMIT)
            seen.append(payload)

    async def main() -> None:
        client = Client(Slow())
        sent = [client.send(b"%d" % number) for number in range(3)]
        assert sent[1].prediction is not None
        sent[1].prediction.cancel()
        gate.set()
        for one in (sent[0], sent[2]):
            await one.answer()
        assert client.board.in_flight == 0

    run(main)

    assert seen == [0, 2]


class Located(pydantic.BaseModel):
    where: str = ""
    text: str

    @pydantic.model_validator(mode="after")
    def _note(self) -> "Located":
        self.where = threading.current_thread().name
        return self


class Locating:
    def predict(self, payload: Located) -> str:
        return payload.where


@pytest.mark.parametrize("in_place", [True, False])
def test_a_large_body_is_decoded_where_it_holds_up_nobody(*, in_place: bool) -> None:
    large = b'{"text": "%b"}' % (b"x" * LARGE)

    async def main() -> list[tuple[int, bytes]]:
        client = Client(Locating())
        client.runner.pace.in_place = in_place
        answers = [await client.ask(body) for body in (large, large[:-1], b"[" + large)]
        assert client.board.in_flight == 0
        return [(answer.status, answer.body) for answer in answers]

    good, cut, wrong = asyncio.run(main())

    assert good == (200, b"test-0")
    assert cut[0] == wrong[0] == 400
    assert b"not valid JSON" in cut[1]
