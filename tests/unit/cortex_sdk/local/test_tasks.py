import asyncio
import logging

import pytest

from cortex_sdk.local.tasks import Tasks


def test_waits_for_tasks_that_tasks_spawn() -> None:
    done = []

    async def work() -> None:
        tasks = Tasks()

        async def child() -> None:
            done.append("child")

        async def parent() -> None:
            tasks.spawn(child())

        tasks.spawn(parent())
        await tasks.wait()

    asyncio.run(work())

    assert done == ["child"]


def test_an_exception_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        async def fail() -> None:
            msg = "a bug"
            raise RuntimeError(msg)

        tasks = Tasks()
        tasks.spawn(fail())
        await tasks.wait()
        await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR):
        asyncio.run(work())

    assert "a bug" in caplog.text
