"""All APIs of a home, and who may touch which of them."""

import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager

from pydantic import ValidationError

from cortex_sdk._target import Progress
from cortex_sdk.errors import DeployError
from cortex_sdk.local.agent.api import Api
from cortex_sdk.local.agent.state import ApiState, Reach, missing
from cortex_sdk.local.gateway.split import Split
from cortex_sdk.local.gateway.xds import Route
from cortex_sdk.local.home import Home

_log = logging.getLogger(__name__)


class Apis:
    """The APIs by name, one at a time for each caller, one endpoint for each API.

    Args:
        home: Where they are written down.
        new: Makes an API of its state.
        splits: The traffic splitters, which have names and endpoints too.
    """

    def __init__(
        self,
        home: Home,
        new: Callable[[ApiState], Api],
        splits: Callable[[], Iterable[Split]],
    ) -> None:
        self._home = home
        self._new = new
        self._splits = splits
        self._apis: dict[str, Api] = {}
        self.unreadable: set[str] = set()
        """Names whose state nobody here understands; what they run is left alone."""

    def load(self) -> None:
        """Read what an earlier agent has written."""
        for path in sorted(self._home.apis.glob("*/api.json")):
            name = path.parent.name
            try:
                self._apis[name] = self._new(ApiState.read(path))
            except (OSError, ValidationError):
                _log.exception("cannot read the state of %s, leaving it alone", name)
                self.unreadable.add(name)

    def __iter__(self) -> Iterator[Api]:
        """All of them by name, as they are now."""
        return iter([self._apis[name] for name in sorted(self._apis)])

    def get(self, name: str) -> Api:
        """One API; raises NotFoundError."""
        try:
            return self._apis[name]
        except KeyError:
            raise missing(name) from None

    def forget(self, name: str) -> None:
        """Drop one that was deleted."""
        self._apis.pop(name, None)

    def routes(self) -> list[Route]:
        """What the gateway should lead to."""
        routes = (api.route() for api in self)
        return [route for route in routes if route is not None]

    def is_ours(self, arguments: list[str]) -> bool:
        """Whether a process is a replica of an API whose replicas are known."""
        sockets = f"unix:{self._home.run}{os.sep}"
        foreign = tuple(
            f"{self._home.api(one).root}{os.sep}" for one in self.unreadable
        )
        return (
            "cortex_server" in arguments
            and any(one.startswith(sockets) for one in arguments)
            and not any(one.startswith(foreign) for one in arguments)
        )

    @asynccontextmanager
    async def held(self, name: str, reach: Reach, say: Progress) -> AsyncIterator[Api]:
        """The API of that name, a new one if need be, with nobody else at it.

        Raises:
            DeployError: Its name or its endpoint belongs to something else.
        """
        self._check(name, reach.endpoint)
        api = self._apis.get(name)
        if api is None:
            api = self._apis[name] = self._new(ApiState(name=name, reach=reach))
        if api.lock.locked():
            say("waiting for what is under way")
        async with api.lock:
            self._check(name, reach.endpoint)
            if not api.is_gone:
                with self._claimed(api, reach.endpoint):
                    yield api
                return
        async with self.held(name, reach, say) as api:
            yield api

    @contextmanager
    def _claimed(self, api: Api, endpoint: str) -> Iterator[None]:
        """Keep an endpoint while a deploy is on its way to it."""
        api.claim = endpoint
        try:
            yield
        finally:
            api.claim = api.state.reach.endpoint
            if not self._home.api(api.state.name).state.exists():
                self.forget(api.state.name)

    def check_free(self, name: str, endpoint: str) -> None:
        """Refuse a splitter that takes what belongs to an API.

        Raises:
            DeployError: Its name or its endpoint does.
        """
        if name in self._apis:
            raise DeployError(_taken(f"name {name!r}", "API", name))
        self._check_endpoint(name, endpoint)

    def _check(self, name: str, endpoint: str) -> None:
        self._check_endpoint(name, endpoint)
        for split in self._splits():
            if split.name == name:
                raise DeployError(_taken(f"name {name!r}", "traffic splitter", name))
            if split.endpoint == endpoint:
                what = f"endpoint {endpoint}"
                raise DeployError(_taken(what, "traffic splitter", split.name))

    def _check_endpoint(self, name: str, endpoint: str) -> None:
        for other in self:
            taken = {other.state.reach.endpoint, other.claim}
            if other.state.name != name and endpoint in taken:
                raise DeployError(
                    _taken(f"endpoint {endpoint}", "API", other.state.name)
                )


def _taken(what: str, kind: str, owner: str) -> str:
    how = " with networking.endpoint" if what.startswith("endpoint") else ""
    return (
        f"the {what} belongs to the {kind} {owner!r}; choose another{how}, or delete"
        f" that {kind}"
    )
