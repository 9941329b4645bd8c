import asyncio
import time
from collections.abc import Iterator
from typing import Any, Self

import httpx
import pytest
from integration.server.replica import GATE, Replica, running, starting, wait_for

from cortex_server.manifest import Batching

SIZE = 8
BATCHING = Batching(max_batch_size=SIZE, batch_interval=0.05)
SOURCE = (
    GATE
    + """
import numpy as np
from pydantic import BaseModel
from sanic.exceptions import NotFound

class Item(BaseModel):
    x: int
    gate: str = ""
    batch: str = ""

def seen(items):
    for item in items:
        if item.gate:
            pathlib.Path(item.gate + "-seen").touch()
            yield item.gate

class P:
    def predict_batch(self, payload: list[Item], request_id, query_params, headers):
        for gate in seen(payload):
            wait_at(gate)
        return answers(payload, request_id, query_params, headers)

    def post_predict(self, payload, response, request_id, logger):
        logger.info("followed", of=payload.x, said=response["x"])

def answers(payload, request_id, query_params, headers):
    how = {item.batch for item in payload}
    if "raise" in how:
        raise ValueError("the whole batch")
    if "few" in how:
        return [0]
    if "array" in how:
        return np.array([[item.x, len(payload)] for item in payload])
    return [
        KeyError("only mine") if item.x < 0 else NotFound("none") if item.x == 0
        else {"x": item.x, "size": len(payload), "id": id, "q": query.get("q"),
              "h": given.get("h")}
        for item, id, query, given
        in zip(payload, request_id, query_params, headers, strict=True)
    ]
"""
)
SOURCE_ASYNC = SOURCE.replace("    def p", "    async def p").replace(
    "            wait_at(gate)", "            await await_at(gate)"
)
TOO_FEW = (
    "`predict_batch` must return a result for each of its 3 requests, but returned 1"
)
BOTH = pytest.mark.parametrize("source", [SOURCE, SOURCE_ASYNC], ids=["def", "async"])


@pytest.fixture(scope="module", params=[SOURCE, SOURCE_ASYNC], ids=["def", "async"])
def replica(request: pytest.FixtureRequest) -> Iterator[Replica]:
    with running(request.param, batching=BATCHING) as replica:
        yield replica
        replica.wait_for_metric("cortex_in_flight_requests", 0)


class Clients:
    """Many clients of a replica at a time."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        transport = httpx.AsyncHTTPTransport(
            uds=str(replica.public_socket), limits=httpx.Limits(max_connections=None)
        )
        self.http = httpx.AsyncClient(
            transport=transport, base_url="http://replica", timeout=20
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def send(self, *items: dict[str, Any]) -> list[asyncio.Task[httpx.Response]]:
        """Send some while another holds the predictor, so that they share a batch."""
        gate = f"gate-{time.monotonic_ns()}"
        root = self._replica.folder / "root"
        before = self._replica.metric("cortex_in_flight_requests")
        first = self.post({"x": 1, "gate": gate})
        await until((root / f"{gate}-seen").exists)
        sent = [self.post(item, q=item["x"]) for item in items]
        await until(
            lambda: (
                self._replica.metric("cortex_in_flight_requests")
                == before + 1 + len(sent)
            )
        )
        (root / gate).touch()
        assert (await first).status_code == 200
        return sent

    def post(
        self, item: dict[str, Any], **query: Any
    ) -> "asyncio.Task[httpx.Response]":
        name = f"id-{item['x']}"
        headers = {"x-request-id": name, "h": name}
        return asyncio.create_task(
            self.http.post("/", json=item, params=query, headers=headers)
        )


async def until(look: Any) -> None:
    await asyncio.to_thread(wait_for, "it", look)


def test_each_gets_its_own_result_of_a_call_for_all(replica: Replica) -> None:
    async def main() -> list[Any]:
        async with Clients(replica) as clients:
            sent = await clients.send(*({"x": number} for number in range(1, 6)))
            return [(await one).json() for one in sent]

    assert asyncio.run(main()) == [
        {"x": n, "size": 5, "id": f"id-{n}", "q": str(n), "h": f"id-{n}"}
        for n in range(1, 6)
    ]


def test_arrays_are_taken_apart(replica: Replica) -> None:
    async def main() -> list[Any]:
        async with Clients(replica) as clients:
            sent = await clients.send({"x": 1, "batch": "array"}, {"x": 2})
            return [(await one).json() for one in sent]

    assert asyncio.run(main()) == [[1, 2], [2, 2]]


def test_a_wrong_payload_never_reaches_a_batch(replica: Replica) -> None:
    async def main() -> list[httpx.Response]:
        async with Clients(replica) as clients:
            wrong = await clients.post({"x": "one"})
            right = await clients.post({"x": 1})
            return [wrong, right]

    wrong, right = asyncio.run(main())

    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["pointer"] == "#/x"
    assert right.json()["size"] == 1


def test_one_bad_item_fails_alone(replica: Replica) -> None:
    async def main() -> list[httpx.Response]:
        async with Clients(replica) as clients:
            items = ({"x": number} for number in (3, -1, 0, 4))
            return [await one for one in await clients.send(*items)]

    answers = asyncio.run(main())

    assert [one.status_code for one in answers] == [200, 500, 404, 200]
    assert answers[2].json()["detail"] == "none"
    assert "only mine" not in answers[1].text
    line = replica.logged(event="predict failed", request_id="id--1")
    assert "only mine" in line["exception"]


@pytest.mark.parametrize(
    ("how", "event"),
    [
        ("raise", "predict failed"),
        ("few", TOO_FEW),
    ],
)
def test_a_batch_that_fails_as_a_whole_fails_alone_and_is_logged_once(
    replica: Replica, how: str, event: str
) -> None:
    before = len(replica.log(event=event))

    async def main() -> tuple[list[httpx.Response], httpx.Response]:
        async with Clients(replica) as clients:
            bad = [{"x": number, "batch": how} for number in (1, 2, 3)]
            answers = [await one for one in await clients.send(*bad)]
            return answers, await clients.post({"x": 5})

    answers, after = asyncio.run(main())

    assert [one.status_code for one in answers] == [500] * 3
    assert all("the whole batch" not in one.text for one in answers)
    assert after.json()["x"] == 5
    ids = ["id-1", "id-2", "id-3"]  # they may have come in any order
    wait_for(
        "the line of the batch",
        lambda: [
            line
            for line in replica.log(event=event)
            if sorted(line.get("request_ids", ())) == ids
        ],
    )
    assert len(replica.log(event=event)) == before + 1
    assert replica.metric("cortex_in_flight_requests") == 0


def test_hooks_run_for_each_request_with_its_own_response(replica: Replica) -> None:
    async def main() -> None:
        async with Clients(replica) as clients:
            for one in await clients.send(*({"x": n} for n in (101, 102, 0))):
                await one

    asyncio.run(main())

    for number in (101, 102):
        line = replica.logged(event="followed", of=number, said=number)
        assert line["request_id"] == f"id-{number}"
    assert not replica.log(event="followed", of=0)


def test_clients_that_leave_are_taken_out_of_their_batch(replica: Replica) -> None:
    async def main() -> list[Any]:
        async with Clients(replica) as clients:
            gate = f"leave-{time.monotonic_ns()}"
            root = replica.folder / "root"
            first = clients.post({"x": 1, "gate": gate})
            await until((root / f"{gate}-seen").exists)
            sent = [clients.post({"x": number}) for number in range(2, 6)]
            await until(lambda: replica.metric("cortex_in_flight_requests") == 5)
            for gone in sent[:2]:
                gone.cancel()
            await until(lambda: replica.metric("cortex_in_flight_requests") == 3)
            (root / gate).touch()
            await first
            return [(await one).json() for one in sent[2:]]

    left = replica.metric("cortex_requests_total", code="499")
    answers = asyncio.run(main())

    assert [(one["x"], one["size"]) for one in answers] == [(4, 2), (5, 2)]
    assert replica.metric("cortex_requests_total", code="499") == left + 2


@pytest.mark.parametrize(
    ("source", "second"),
    [
        pytest.param(SOURCE, 504, id="a thread goes on, and the line waits"),
        pytest.param(SOURCE_ASYNC, 200, id="a coroutine is cancelled, the next runs"),
    ],
)
def test_a_time_limit_that_passes_is_504_and_nothing_runs_late(
    source: str, second: int
) -> None:
    async def main(replica: Replica) -> list[httpx.Response]:
        async with Clients(replica) as clients:
            first = clients.post({"x": 1, "gate": "late"})
            await until((replica.folder / "root" / "late-seen").exists)
            await asyncio.sleep(1)  # it has as much time left when the first is late
            waiting = clients.post({"x": 77})
            answers = [await first, await waiting]
            replica.open_gate("late")
            return [*answers, await clients.post({"x": 3})]

    with running(source, batching=BATCHING, timeout=2) as replica:
        late, waited, after = asyncio.run(main(replica))

        assert [late.status_code, waited.status_code] == [504, second]
        assert after.json()["x"] == 3
        assert replica.metric("cortex_in_flight_requests") == 0
        ran = [1, 3] if second == 504 else [1, 77, 3]
        assert replica.metric("cortex_batch_size_sum") == len(ran)


@BOTH
def test_a_replica_that_is_told_to_end_answers_whom_it_has_taken(source: str) -> None:
    async def main(replica: Replica) -> list[int]:
        async with Clients(replica) as clients:
            first = clients.post({"x": 1, "gate": "end"})
            await until((replica.folder / "root" / "end-seen").exists)
            sent = [clients.post({"x": number}) for number in range(2, 20)]
            await until(lambda: replica.metric("cortex_in_flight_requests") == 19)
            replica.terminate()
            replica.open_gate("end")
            return [(await one).status_code for one in (first, *sent)]

    with running(source, batching=BATCHING) as replica:
        assert asyncio.run(main(replica)) == [200] * 19
        assert replica.wait() == 0


def test_a_lone_client_waits_for_nobody() -> None:
    source = """
class P:
    def predict(self, payload: list[int]):
        return payload
"""
    hour = Batching(max_batch_size=SIZE, batch_interval=3600)
    with running(source, batching=hour) as replica:
        for _ in range(20):
            assert replica.client.post("/", json=1).json() == 1

        assert replica.metric("cortex_batch_size_count") == 20


TENSORS = """
import numpy as np

class P:
    def predict(self, payload: list[np.ndarray]):
        return 2 * np.stack(payload)
"""


def test_tensors_of_the_inference_protocol_come_in_batches_too() -> None:
    tensor = {"name": "x", "shape": [2], "datatype": "FP64", "data": [1, 2]}
    with running(TENSORS, batching=BATCHING) as replica:
        answer = replica.client.post("/v2/models/test/infer", json={"inputs": [tensor]})
        (output,) = answer.json()["outputs"]

        assert (output["shape"], output["data"]) == ([2], [2, 4])
        assert replica.metric("cortex_batch_size_count") == 1


SLOW = """
import asyncio, time

class P:
    def predict(self, payload: list[int]):
        time.sleep(0.05 + 0.0001 * len(payload))
        return payload
"""
SLOW_ASYNC = SLOW.replace("def p", "async def p").replace("time.s", "await asyncio.s")


@pytest.mark.parametrize("source", [SLOW, SLOW_ASYNC], ids=["def", "async"])
@pytest.mark.parametrize(("clients", "size"), [(64, 32), (20, 32), (40, 32)])
def test_clients_that_come_back_find_no_tiny_batches(
    source: str, clients: int, size: int
) -> None:
    """Without a wait there are 1 and 19, or 8 and 32, in turn: 0.5 or 0.6 of this."""
    batching = Batching(max_batch_size=size, batch_interval=0.05)
    with running(source, batching=batching) as replica:
        asyncio.run(_come_back(replica, clients, seconds=1.5))
        batches = replica.metric("cortex_batch_size_count")
        requests = replica.metric("cortex_batch_size_sum")
        asyncio.run(_come_back(replica, clients, seconds=2))

        batches = replica.metric("cortex_batch_size_count") - batches
        requests = replica.metric("cortex_batch_size_sum") - requests
        assert requests / batches > 0.75 * min(clients, size)
        assert replica.metric("cortex_in_flight_requests") == 0


async def _come_back(replica: Replica, number: int, seconds: float) -> None:
    """Connections that each send the next request as soon as one is answered."""
    message = (
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
        b"content-length: 1\r\n\r\n7"
    )
    end = time.monotonic() + seconds

    async def client() -> None:
        path = str(replica.public_socket)
        reader, writer = await asyncio.open_unix_connection(path)
        while time.monotonic() < end:
            writer.write(message)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(1) == b"7"
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(client() for _ in range(number)))


def test_a_predictor_that_cannot_take_batches_does_not_start() -> None:
    source = "class P:\n    def predict(self, payload: int): ..."
    with starting(source, batching=BATCHING) as replica:
        assert replica.wait() != 0

        assert replica.failure()["message"] == (
            "`batching` gives `P.predict` a list of payloads, but its `payload` has the"
            " type `int`: declare `payload: list[int]`, or add a method `predict_batch`"
        )
