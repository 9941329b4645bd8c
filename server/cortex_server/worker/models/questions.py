"""What the public address asks the processes that have the models, as plain data.

A question is what is wanted and the name of a model; the answer a snapshot, or why not.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sanic.exceptions import SanicException

from cortex_server.worker.description import Ask
from cortex_server.worker.models.opening import Opened

NAME = "models"
LIST, LOAD, UNLOAD = "list", "load", "unload"

Question = Callable[[Any], Awaitable[Any]]


def answering(opened: Opened) -> Question:
    """Answers questions in a process that has models."""

    async def answer(question: tuple[str, str]) -> dict[str, Any]:
        what, name = question
        try:
            if what == LOAD:
                await asyncio.to_thread(opened.load, name)
            elif what == UNLOAD:
                opened.unload(name)
        except SanicException as error:
            return {"status": error.status_code, "error": str(error)}
        return opened.models.snapshot()

    return answer


async def asked(ask: Ask, what: str = LIST, name: str = "") -> list[dict[str, Any]]:
    """The models as all processes together have them.

    Raises:
        SanicException: One of them could not do it.
    """
    snapshots = await ask(NAME, (what, name))
    for each in snapshots:
        if "error" in each:
            raise SanicException(each["error"], status_code=each["status"])
    return _together([snapshot["models"] for snapshot in snapshots])


def _together(processes: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """A model is in memory, or failed, where any process says so."""
    found: dict[str, dict[str, Any]] = {}
    for each in (model for models in processes for model in models):
        model = found.setdefault(each["name"], each)
        for key in ("in_memory", "failed"):
            model[key] = sorted({*model[key], *each[key]})
    return [found[name] for name in sorted(found)]
