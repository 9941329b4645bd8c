"""The load generator for machines without wrk: keep-alive connections, one process.

Usage: python -m comparison.generator URL CONNECTIONS SECONDS, with the name of a file
in $BODY and its type in $CONTENT_TYPE.
"""

import asyncio
import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httptools
import uvloop

from comparison.load import Load

_OK = 200
_RETRY_SECONDS = 0.01


@dataclass(slots=True)
class Tally:
    """What all connections have seen."""

    latencies: list[float] = field(default_factory=list)
    errors: int = 0

    def load(self, seconds: float) -> Load:
        """The summary of it."""
        found = sorted(self.latencies)
        p50, p99 = (1000 * percentile(found, share) for share in (0.50, 0.99))
        return Load(len(found), seconds, self.errors, p50, p99)


class Connection(asyncio.Protocol):
    """Sends the next request when the last one is answered."""

    transport: asyncio.Transport
    parser: httptools.HttpResponseParser
    sent: float

    def __init__(self, request: bytes, tally: Tally) -> None:
        self.request = request
        self.tally = tally
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # it is TCP
        self.parser = httptools.HttpResponseParser(self)
        self.send()

    def send(self) -> None:
        self.sent = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.tally.latencies.append(time.perf_counter() - self.sent)
        if self.parser.get_status_code() != _OK:
            self.tally.errors += 1
        self.send()

    def connection_lost(self, _: Exception | None) -> None:
        self.lost.set()


async def keep_open(host: str, port: int, request: bytes, tally: Tally) -> None:
    """Hold one connection for ever, a new one whenever it is lost."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            _, connection = await loop.create_connection(
                lambda: Connection(request, tally), host, port
            )
            await connection.lost.wait()
        except OSError:
            await asyncio.sleep(_RETRY_SECONDS)
        tally.errors += 1


async def generate(url: str, request: bytes, connections: int, seconds: int) -> Load:
    """Load a server for some seconds."""
    where, tally, start = urlsplit(url), Tally(), time.perf_counter()
    assert where.hostname
    assert where.port
    tasks = [
        asyncio.create_task(keep_open(where.hostname, where.port, request, tally))
        for _ in range(connections)
    ]
    await asyncio.wait(tasks, timeout=seconds)
    load = tally.load(time.perf_counter() - start)
    for task in tasks:
        task.cancel()
    return load


def request(url: str, body: bytes, content_type: str) -> bytes:
    """The bytes of one POST."""
    where = urlsplit(url)
    head = (
        f"POST {where.path} HTTP/1.1\r\n"
        f"Host: {where.netloc}\r\n"
        f"Content-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of sorted values lies, 0 where there are none."""
    return values[min(int(len(values) * share), len(values) - 1)] if values else 0.0


def main() -> None:
    url, connections, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    body = Path(os.environ["BODY"]).read_bytes()
    message = request(url, body, os.environ["CONTENT_TYPE"])
    load = uvloop.run(generate(url, message, connections, seconds))
    print(json.dumps(asdict(load)))


if __name__ == "__main__":
    main()
