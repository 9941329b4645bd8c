"""Keeping one replica of a release alive."""

import asyncio
import logging
import time
from collections.abc import Callable

from cortex_sdk.local.agent.replica import Replica, StartError
from cortex_sdk.local.backoff import Backoff
from cortex_sdk.local.tasks import Tasks

_log = logging.getLogger(__name__)


class Keeper:
    """Starts a replica again whenever it ends.

    Args:
        start: Starts a replica and remembers it.
        ended: Told of every replica that has ended by itself.
        changed: Called when there is a ready replica, or is none any more.
        replica: One that runs already.
    """

    def __init__(
        self,
        start: Callable[[], Replica],
        ended: Callable[[Replica], None],
        changed: Callable[[], None],
        replica: Replica | None = None,
    ) -> None:
        self._start = start
        self._ended = ended
        self._tell = changed
        self._news = asyncio.Event()
        self._tasks = Tasks()
        self._task: asyncio.Task[None] | None = None
        self.replica = replica
        self.trouble = ""
        """Why there is no ready replica, "" while it is merely starting."""

    @property
    def is_ready(self) -> bool:
        """Whether a replica answers."""
        return self.replica is not None and self.replica.is_ready

    @property
    def is_settled(self) -> bool:
        """Whether the first start came to an end, good or bad."""
        return self.is_ready or bool(self.trouble)

    async def settled(self) -> None:
        """Return when it has."""
        while not self.is_settled:
            self._news.clear()
            await self._news.wait()

    def keep(self) -> None:
        """Go on in the background."""
        self._task = self._tasks.spawn(self._run())

    async def let_go(self) -> None:
        """Stop keeping; a replica runs on, for the caller to end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        backoff = Backoff()
        while True:
            healthy = await self._one_life()
            delay = backoff.after(healthy)
            _log.warning("%s; starting again in %g s", self.trouble, delay)
            self._changed()
            await asyncio.sleep(delay)

    def _changed(self) -> None:
        self._news.set()
        self._tell()

    async def _one_life(self) -> float:
        """See one replica from start to end; returns how long it was healthy."""
        try:
            if self.replica is None:
                self.replica = self._start()
            replica = self.replica
            if not replica.is_ready:
                await replica.until_ready()
        except StartError as error:
            self.trouble = str(error)
            self._bury()
            return 0.0
        since, self.trouble = time.monotonic(), ""
        self._changed()
        await replica.watch(self._changed)
        self.trouble = f"the replica {replica.process.ending()}"
        self._bury()
        return time.monotonic() - since

    def _bury(self) -> None:
        replica, self.replica = self.replica, None
        if replica is not None:
            self._ended(replica)
