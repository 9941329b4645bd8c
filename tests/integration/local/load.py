"""A steady load over keep-alive connections, which counts every answer."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from threading import Event, Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


@dataclass
class Load:
    """Sends requests from a thread until it is told to stop, and so many at least."""

    url: str
    connections: int = 32
    at_least: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    """Responses by "status body", failures of the transport by their name."""
    _enough: Event = field(default_factory=Event)

    def __enter__(self) -> Self:
        self._thread = Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.at_least = 0
        self._enough.set()
        self._thread.join()

    @property
    def sent(self) -> int:
        return self.answers.total()

    def failures(self) -> dict[str, int]:
        """Everything that is not an answer with status 200."""
        items = self.answers.items()
        return {text: number for text, number in items if not text.startswith("200 ")}

    async def _run(self) -> None:
        await asyncio.gather(*(self._connection() for _ in range(self.connections)))

    async def _connection(self) -> None:
        while not self._enough.is_set() or self.sent < self.at_least:
            try:
                await self._talk()
            except (OSError, EOFError, ValueError) as error:
                self.answers[f"{type(error).__name__}: {error}"] += 1

    async def _talk(self) -> None:
        address = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(
            address.hostname, address.port or 80
        )
        head = f"POST {address.path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n"
        request = f"{head}content-type: application/json\r\n\r\n7".encode()
        try:
            while not self._enough.is_set() or self.sent < self.at_least:
                writer.write(request)
                answer, closes = await _answer(reader)
                self.answers[answer] += 1
                if closes:
                    return
        finally:
            writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[str, bool]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    status = head.split(" ", 2)[1]
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    body = (await reader.readexactly(length)).decode()
    return f"{status} {body}", "connection: close" in head
