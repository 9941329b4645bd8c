"""The floor: a protocol on uvloop that does only what it must.

One route, no errors, no limits, no pipelining, bodies read in place: no server in
Python can be much faster, and no real one is as fast.

Usage: python asyncio_floor.py WORKLOAD PORT
"""

import asyncio
import re
import sys
from collections.abc import Callable

import model
import orjson
import uvloop
from batcher import Batcher

Answer = dict[str, int]
SMALL, LARGE = 1 << 16, 2 << 20
"""Bytes of a buffer: the largest request must fit."""
END = b"\r\n\r\n"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
RESPONSE = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
)


def w1(body: memoryview) -> Answer:
    return {"y": model.label(orjson.loads(body)["x"])}


def w3(body: memoryview) -> Answer:
    return {"y": model.iris()(orjson.loads(body)["x"])}


def w5json(body: memoryview) -> Answer:
    return {"n": model.count(orjson.loads(body)["x"])}


def w5bin(body: memoryview) -> Answer:
    return {"n": len(body)}


def w6(body: memoryview) -> Answer:
    asyncio.get_running_loop().run_in_executor(None, model.hook)
    return w1(body)


HANDLERS = {"w1": w1, "w3": w3, "w5json": w5json, "w5bin": w5bin, "w6": w6}


class Connection(asyncio.BufferedProtocol):
    def __init__(self, workload: str, batcher: Batcher | None) -> None:
        self.handler: Callable[[memoryview], Answer] | None = HANDLERS.get(workload)
        self.batcher = batcher
        self.buffer = bytearray(LARGE if workload.startswith("w5") else SMALL)
        self.view = memoryview(self.buffer)
        self.filled = self.start = self.end = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]  # TCP

    def get_buffer(self, _: int) -> memoryview:
        return self.view[self.filled :]

    def buffer_updated(self, received: int) -> None:
        self.filled += received
        if not self.end:
            self.read_head()
        if self.end and self.filled >= self.end:
            body = self.view[self.start : self.end]
            self.filled = self.end = 0
            self.handle(body)

    def read_head(self) -> None:
        head = self.buffer.find(END, 0, self.filled)
        if head >= 0 and (length := LENGTH.search(self.buffer, 0, head)):
            self.start = head + len(END)
            self.end = self.start + int(length[1])

    def handle(self, body: memoryview) -> None:
        if self.handler:
            self.reply(self.handler(body))
        else:
            work = self.w4(self.batcher, body) if self.batcher else self.w2(body)
            self.task = asyncio.create_task(work)

    async def w2(self, body: memoryview) -> None:
        self.reply({"y": await model.label_async(orjson.loads(body)["x"])})

    async def w4(self, batcher: Batcher, body: memoryview) -> None:
        self.reply({"y": await batcher.submit(orjson.loads(body)["x"])})

    def reply(self, answer: Answer) -> None:
        body = orjson.dumps(answer)
        self.transport.write(RESPONSE % (len(body), body))


async def main(workload: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    batcher = Batcher() if workload == "w4" else None
    server = await loop.create_server(
        lambda: Connection(workload, batcher), "127.0.0.1", port
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
