"""`python -m cortex_sdk.local`: the background agent of one home.

The SDK starts it when it is needed; it has no arguments. However it ends, replicas
and gateway run on, and the next agent takes them over.
"""

import asyncio
import fcntl
import logging
import os
import signal
import socket
from contextlib import suppress
from typing import IO, Any, NoReturn

from cortex_sdk.local.agent.agent import Agent
from cortex_sdk.local.agent.control import Control
from cortex_sdk.local.home import Home
from cortex_sdk.local.version import VERSION

_log = logging.getLogger(__name__)


def main() -> None:
    """Be the agent, unless there is one."""
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO
    )
    for talkative in ("httpx", "sanic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    home = Home.of_user()
    home.make()
    lock = _lock(home)
    if lock is None:
        return
    starter = _detach()
    signal.signal(signal.SIGTERM, _leave_at_once)
    asyncio.run(_serve(home, starter))
    lock.close()


def _detach() -> int:
    """Go on in a child, and have the parent end when that is up, or has failed.

    So whoever started the agent learns how that went and has no child to wait for.
    """
    outcome, starter = os.pipe()
    if os.fork():
        os.close(starter)
        os._exit(0 if os.read(outcome, 1) else 1)
    os.close(outcome)
    return starter


async def _serve(home: Home, starter: int) -> None:
    agent = Agent(home)
    await agent.boot()
    server: Any = await Control(agent).app().create_server(sock=_listener(home))
    await server.startup()
    await server.start_serving()
    with suppress(BrokenPipeError):  # the parent was killed meanwhile
        os.write(starter, b"+")
    os.close(starter)
    _log.info("agent %s is up", VERSION)
    await agent.done.wait()
    await asyncio.sleep(0.1)  # the last answer is still on its way
    _leave_at_once()


def _leave_at_once(*_: object) -> NoReturn:
    """Nothing is cleaned up, so that every way to end is the one that is tested."""
    logging.shutdown()
    os._exit(0)


def _lock(home: Home) -> IO[str] | None:
    lock = (home.agent / "agent.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    return lock


def _listener(home: Home) -> socket.socket:
    home.agent_socket.unlink(missing_ok=True)  # of an agent that was killed
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(home.agent_socket))
    home.agent_socket.chmod(0o600)
    return listener


if __name__ == "__main__":
    main()
