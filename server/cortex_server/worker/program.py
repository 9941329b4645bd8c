"""How a process with or without a predictor begins and ends."""

import gc
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from threading import Thread
from typing import NoReturn

from cortex_server.board import Board, State
from cortex_server.launch import START_FAILED, Launch
from cortex_server.manifest import Manifest, StartFailure
from cortex_server.worker import logs


def begin(arguments: list[str]) -> tuple[Launch, Manifest, logs.Logger]:
    """Read the command line of the replica, and log as its manifest says."""
    launch = Launch.parse(arguments)
    try:
        manifest = Manifest.read(launch.manifest)
    except (OSError, ValueError) as error:
        launch.report(StartFailure(message=str(error)))
        sys.stderr.write(f"{error}\n")
        end(START_FAILED)
    labels = {"api": manifest.name, "revision": manifest.revision}
    logger = logs.set_up(manifest.log_level, {**labels, "replica": launch.replica})
    return launch, manifest, logger


def keep(descriptors: Iterable[int]) -> None:
    """Let no process that is started here have these, unless it is given them."""
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)  # noqa: FBT003  # of os


def collect_garbage() -> None:
    """From here on: a start is quicker without, see early.py."""
    gc.freeze()  # what was imported up to here is there to stay
    gc.enable()


def end(code: int) -> NoReturn:
    """End at once: a thread that hangs in the user's code must not hold us up."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # the user's code has replaced it
            stream.flush()
    os._exit(code)


def follow(lifeline: int, board: Board) -> None:
    """End a start whose supervisor is gone; a replica that serves drains then.

    Args:
        lifeline: Pipe that the supervisor holds open while it lives.
        board: Of the worker; it says whether the replica is still starting.
    """
    Thread(target=_follow, args=(lifeline, board), daemon=True).start()


def _follow(lifeline: int, board: Board) -> None:
    os.read(lifeline, 1)  # there is nothing to read but the end
    if board.state is State.STARTING:
        os._exit(1)
