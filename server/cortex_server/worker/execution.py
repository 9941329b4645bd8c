"""Where the user's methods run: coroutines on the loop, functions in threads."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from cortex_server.interface import Method

Call = Callable[..., Any]


class Threads:
    """A fixed number of threads, first come first served.

    Log lines written there carry the ids of the request that they work for.
    """

    def __init__(self, number: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(number, thread_name_prefix=name)

    def call(self, function: Call, **arguments: Any) -> Any:  # noqa: ANN401  # the user's
        """Run a function in a thread and wait for it without an event loop."""
        return self._pool.submit(function, **arguments).result()

    async def run(
        self, method: Method, function: Call, arguments: dict[str, Any]
    ) -> Any:  # noqa: ANN401  # the user's
        """Await a method of the predictor, wherever it runs.

        Cancelling takes a call that has not started out of the queue.
        """
        if method.is_async:
            return await function(**arguments)
        context = contextvars.copy_context()
        work = partial(context.run, _guarded, function, arguments)
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _guarded(function: Call, arguments: dict[str, Any]) -> Any:  # noqa: ANN401  # the user's
    try:
        return function(**arguments)
    except StopIteration as error:  # no future can carry it
        msg = "the predictor raised StopIteration"
        raise RuntimeError(msg) from error
