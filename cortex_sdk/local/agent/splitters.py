"""The traffic splitters of a home: where requests to one endpoint go."""

import asyncio
import difflib
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator

from pydantic import ValidationError

from cortex_sdk._target import Progress
from cortex_sdk.errors import DeployError, NotFoundError
from cortex_sdk.local.agent.apis import Apis
from cortex_sdk.local.gateway.envoy import GatewayError
from cortex_sdk.local.gateway.split import Split
from cortex_sdk.local.home import Home

_log = logging.getLogger(__name__)


class Splitters:
    """The splitters by name; a change of one is a change of the gateway alone.

    Args:
        home: Where they are written down.
        apis: What they can lead to.
        publish: Makes the gateway follow; raises GatewayError.
        changed: Asks for the same in the background.
    """

    def __init__(
        self,
        home: Home,
        apis: Apis,
        publish: Callable[[], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        self._home = home
        self._apis = apis
        self._publish = publish
        self._changed = changed
        self._splits: dict[str, Split] = {}
        self._lock = asyncio.Lock()

    def load(self) -> None:
        """Read what an earlier agent has written."""
        for path in sorted(self._home.splitters.glob("*.json")):
            try:
                self._splits[path.stem] = Split.read(path)
            except (OSError, ValidationError):
                _log.exception("cannot read %s, leaving it alone", path)

    def __iter__(self) -> Iterator[Split]:
        """All of them by name."""
        return iter([self._splits[name] for name in sorted(self._splits)])

    def get(self, name: str) -> Split | None:
        """One of them, None where there is none of that name."""
        return self._splits.get(name)

    def users_of(self, api: str) -> list[str]:
        """Splitters that need an API."""
        return [split.name for split in self if api in split.names]

    async def deploy(self, split: Split, say: Progress) -> bool:
        """Make the gateway follow a splitter; returns whether that changed anything.

        Raises:
            NotFoundError: It leads to an API that is not there.
            DeployError: Its name or its endpoint belongs to something else, or the
                gateway does not follow: then it leads where it did.
        """
        async with self._lock:
            self._check(split)
            before = self._splits.get(split.name)
            if before == split:
                return False
            say("switching the gateway over")
            await self._replace(split.name, split)
            with self._home.writing():
                split.write(self._home.splitter(split.name))
        return True

    async def delete(self, name: str) -> None:
        """Lead nowhere from its endpoint any more; its APIs stay."""
        async with self._lock:
            with self._home.writing():
                self._home.splitter(name).unlink(missing_ok=True)
            await self._replace(name, None)

    async def _replace(self, name: str, split: Split | None) -> None:
        before = self._splits.get(name)
        self._put(name, split)
        try:
            await self._publish()
        except GatewayError as error:
            if split is None:
                return  # a gateway that does not run leads nowhere
            self._put(name, before)
            self._changed()
            raise DeployError(str(error)) from error

    def _put(self, name: str, split: Split | None) -> None:
        if split is None:
            self._splits.pop(name, None)
        else:
            self._splits[name] = split

    def _check(self, split: Split) -> None:
        """Refuse what leads nowhere, or takes what belongs to something else."""
        there = [api.state.name for api in self._apis if api.can_be_split]
        for name in split.names:
            if name not in there:
                raise NotFoundError(_no_such(name, split.name, there))
        self._apis.check_free(split.name, split.endpoint)
        for other in self:
            if other.name != split.name and other.endpoint == split.endpoint:
                msg = (
                    f"the endpoint {split.endpoint} belongs to the traffic splitter"
                    f" {other.name!r}; choose another with networking.endpoint"
                )
                raise DeployError(msg)


def _no_such(name: str, splitter: str, there: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, there, 1)
    hint = f"did you mean {near[0]!r}?" if near else "deploy it first"
    return f"{splitter} leads to {name!r}, which is no API on local; {hint}"
