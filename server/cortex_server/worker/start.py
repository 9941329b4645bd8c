"""Building a predictor and warming it up, where its `predict` will run."""

import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from cortex_server.interface import Interface, Method
from cortex_server.manifest import Manifest
from cortex_server.worker.execution import Threads
from cortex_server.worker.user_code import user_code

if TYPE_CHECKING:
    from cortex_server.worker.metrics import Metrics
    from cortex_server.worker.models.store import Models


class Start:
    """What the methods that run once need: their arguments, and their place.

    Args:
        interface: Of the predictor.
        manifest: Of the replica.
        threads: Where a `predict` runs that is not async.
        root: Where the user's files are.
        models: Those that are declared.
    """

    def __init__(
        self,
        interface: Interface,
        manifest: Manifest,
        threads: Threads,
        root: Path,
        models: "Models | None" = None,
    ) -> None:
        self._interface = interface
        self._manifest = manifest
        self._threads = threads
        self._root = root
        self._models = models

    def construct(self, cls: type) -> Any:  # noqa: ANN401  # the user's
        """Build the predictor; whatever it raises is a StartError."""
        with user_code(f"`{cls.__name__}.__init__`", self._root):
            return self._in_place(cls, self._interface.init)

    async def warm_up(self, predictor: Any) -> None:  # noqa: ANN401  # the user's
        """Run its `warm_up`, if it has one; whatever it raises is a StartError."""
        method = self._interface.warm_up
        if method is None:
            return
        with user_code(f"`{type(predictor).__name__}.warm_up`", self._root):
            result = self._in_place(predictor.warm_up, method)
            if inspect.isawaitable(result):
                await result

    def _in_place(self, function: Any, method: Method) -> Any:  # noqa: ANN401  # the user's
        """Call it in the thread or on the loop of `predict`: some libraries mind."""
        given = self._arguments(method)
        if self._interface.predict.is_async or method.is_async:
            return function(**given)
        return self._threads.call(function, **given)

    def _arguments(self, method: Method) -> dict[str, Any]:
        possible: dict[str, Callable[[], Any]] = {
            "config": lambda: dict(self._manifest.config),
            "models": lambda: self._models,
            "metrics": shared_metrics,
            "logger": structlog.get_logger,
        }
        return {name: possible[name]() for name in method.arguments}


@cache
def shared_metrics() -> "Metrics":
    """The metrics of this process, made when they are asked for first."""
    from cortex_server.worker.metrics import Metrics  # noqa: PLC0415  # most have none

    return Metrics()
