"""The predictor of this process: found, constructed, ready to run."""

from typing import Any

import structlog

from cortex_server.board import Board
from cortex_server.interface import Interface, InterfaceError
from cortex_server.launch import Launch
from cortex_server.manifest import Manifest, StartFailure
from cortex_server.worker.execution import Threads
from cortex_server.worker.loader import load
from cortex_server.worker.runner import Runner
from cortex_server.worker.user_code import StartError, user_code


def start_predictor(
    manifest: Manifest, launch: Launch, board: Board
) -> tuple[Interface, Runner]:
    """Load the class, construct it, and make what runs it; the loop is running.

    Raises:
        StartError: Anything of that fails; it says what in the user's terms.
    """
    cls, interface = load(manifest, launch)
    threads = Threads(manifest.threads_per_process, "predict")
    given = _init_arguments(interface, manifest)
    with user_code(f"`{cls.__name__}.__init__`", launch.root):
        predictor = _constructed(
            cls, given, None if interface.predict.is_async else threads
        )
    try:
        return interface, Runner(predictor, interface, threads, board)
    except InterfaceError as error:
        raise StartError(StartFailure(message=str(error))) from None


def _constructed(cls: type, given: dict[str, Any], threads: Threads | None) -> Any:  # noqa: ANN401  # the user's
    """Build it where its `predict` will run: some libraries mind."""
    return cls(**given) if threads is None else threads.call(cls, **given)


def _init_arguments(interface: Interface, manifest: Manifest) -> dict[str, Any]:
    possible = {"config": dict(manifest.config), "logger": structlog.get_logger()}
    return {name: possible[name] for name in interface.init.arguments}
