import asyncio
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks
from pulumi.runtime.mocks import MockMonitor


class Recorder(Mocks):
    """Stands in for Pulumi's engine: keeps what programs declare."""

    def __init__(self) -> None:
        self.resources: list[MockResourceArgs] = []
        self.requests: dict[str, Any] = {}
        """What the engine is asked, options and all, by the name of the resource."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.resources.append(args)
        metadata = {**args.inputs.get("metadata", {}), "uid": f"uid-of-{args.name}"}
        return f"{args.name}-id", {**args.inputs, "metadata": metadata}

    def call(self, args: MockCallArgs) -> dict[str, Any]:
        return {}

    def run(self, program: Any) -> dict[str, MockResourceArgs]:
        pulumi.runtime.test(program)()
        return {each.name: each for each in self.resources}


class Monitor(MockMonitor):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._requests = recorder.requests

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # Pulumi's name
        self._requests[request.name] = request
        return super().RegisterResource(request)


@pytest.fixture(scope="session")
def loops() -> Iterator[None]:
    """Closes the loops that Pulumi's mocks make in threads and leave open."""
    made, make = list[asyncio.AbstractEventLoop](), asyncio.new_event_loop

    def kept() -> asyncio.AbstractEventLoop:
        made.append(make())
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "new_event_loop", kept)
        yield
    for loop in made:
        loop.close()


@pytest.fixture
def recorder(loops: None) -> Recorder:
    # The default loop is taken, which other tests have left closed.
    asyncio.set_event_loop(asyncio.new_event_loop())
    mocks = Recorder()
    pulumi.runtime.set_mocks(mocks, monitor=Monitor(mocks))
    return mocks
