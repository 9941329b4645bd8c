"""An open-loop generator: each request has its time, whatever became of the others.

Clients of an API do not wait for each other, and a server that stalls must not be
spared the requests that come meanwhile. So latency counts from the time at which a
request was due, and times are those of a Poisson process, the same in every run.

Usage: python -m comparison.openloop URL CONNECTIONS SECONDS RATE, with the name of a
file in $BODY and its type in $CONTENT_TYPE.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

import httptools
import uvloop

from comparison.generator import Tally, request
from comparison.load import Load

_OK = 200
_LAST_ANSWER_SECONDS = 10


def times(rate: float, seconds: float, seed: int = 1) -> Iterator[float]:
    """When requests are due, in seconds from the start."""
    due, pauses = 0.0, random.Random(seed)
    while (due := due + pauses.expovariate(rate)) < seconds:
        yield due


class Crowd:
    """Idle connections, and requests that are due while none is idle."""

    def __init__(self, message: bytes) -> None:
        self.message = message
        self.tally = Tally()
        self.idle: list[Connection] = []
        self.waiting: deque[float] = deque()
        self.sent = 0

    @property
    def is_over(self) -> bool:
        """Whether every request that was sent is answered."""
        return self.sent == len(self.tally.latencies) and not self.waiting

    def send(self, due: float) -> None:
        """Send a request now, or as soon as a connection is idle."""
        if self.idle:
            self.sent += 1
            self.idle.pop().send(due)
        else:
            self.waiting.append(due)

    def answered(self, connection: "Connection", due: float, status: int) -> None:
        """A connection has got its answer."""
        self.tally.latencies.append(time.perf_counter() - due)
        self.tally.errors += status != _OK
        self.idle.append(connection)
        if self.waiting:
            self.send(self.waiting.popleft())


class Connection(asyncio.Protocol):
    """One client of the crowd."""

    transport: asyncio.Transport
    parser: httptools.HttpResponseParser
    due: float

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # it is TCP
        self.parser = httptools.HttpResponseParser(self)
        self.crowd.idle.append(self)

    def send(self, due: float) -> None:
        self.due = due
        self.transport.write(self.crowd.message)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.crowd.answered(self, self.due, self.parser.get_status_code())


async def generate(
    url: str, message: bytes, connections: int, seconds: int, rate: float
) -> Load:
    """Send requests at their times, and wait for the last answers."""
    where, crowd = urlsplit(url), Crowd(message)
    assert where.hostname
    assert where.port
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(
            lambda: Connection(crowd), where.hostname, where.port
        )
    start = time.perf_counter()
    for due in times(rate, seconds):
        # Timers are too coarse by a millisecond, several times an answer's time.
        while time.perf_counter() < start + due:  # noqa: ASYNC110  # time is no event
            await asyncio.sleep(0)
        crowd.send(start + due)
    took = time.perf_counter() - start
    async with asyncio.timeout(_LAST_ANSWER_SECONDS):
        while not crowd.is_over:  # noqa: ASYNC110  # nobody is told
            await asyncio.sleep(0)
    return crowd.tally.load(took)


def main() -> None:
    url, connections, seconds, rate = sys.argv[1:]
    body = Path(os.environ["BODY"]).read_bytes()
    message = request(url, body, os.environ["CONTENT_TYPE"])
    arguments = int(connections), int(seconds), float(rate)
    print(json.dumps(asdict(uvloop.run(generate(url, message, *arguments)))))


if __name__ == "__main__":
    main()
