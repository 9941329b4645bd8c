"""What people write where a framework makes no batches."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import model

Waiting = tuple[list[float], "asyncio.Future[int]"]


class Batcher:
    """One thread runs batches; each starts when it is full or has waited enough."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1)
        self._line: asyncio.Queue[Waiting] = asyncio.Queue()
        self._task = self._loop.create_task(self._run())

    def submit(self, x: list[float]) -> "asyncio.Future[int]":
        answer: asyncio.Future[int] = self._loop.create_future()
        self._line.put_nowait((x, answer))
        return answer

    async def _run(self) -> None:
        while True:
            batch = await self._next()
            inputs = [x for x, _ in batch]
            outputs = await self._loop.run_in_executor(
                self._thread, model.label_batch, inputs
            )
            for (_, answer), y in zip(batch, outputs, strict=True):
                if not answer.done():  # whoever waited has gone
                    answer.set_result(y)

    async def _next(self) -> list[Waiting]:
        batch = [await self._line.get()]
        end = self._loop.time() + model.LONGEST_WAIT_SECONDS
        while len(batch) < model.MOST_IN_BATCH:
            try:
                async with asyncio.timeout_at(end):
                    batch.append(await self._line.get())
            except TimeoutError:
                break
        return batch
