import asyncio
from typing import Any

import pytest
from unit.cortex_server.worker.counted import LIMIT, Counted

from cortex_server.interface import hook_of, interface_of
from cortex_server.manifest import Manifest, PostPredict, PredictorModule
from cortex_server.worker.call import Call
from cortex_server.worker.followers import hooks_for
from cortex_server.worker.hooks import Hooks
from cortex_server.worker.user_code import StartError

REFERENCE = PredictorModule(module="app", qualname="Plain")


class Plain:
    def predict(self) -> int:
        return 1


class Following(Plain):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def post_predict(self, response: int) -> None:
        self.seen.append(("method", response))


def hooks(predictor: Any, *functions: Any, **fields: Any) -> Hooks | None:
    manifest = Manifest(name="p", bundle="0", predictor=REFERENCE, **fields)
    followers = [(hook_of(function), function) for function in functions]
    interface = interface_of(type(predictor))
    return hooks_for(predictor, interface, followers, manifest, Counted())


def test_where_nothing_follows_there_are_no_hooks() -> None:
    assert hooks(Plain()) is None


def test_options_without_a_hook_end_the_start() -> None:
    with pytest.raises(StartError) as caught:
        hooks(Plain(), post_predict=PostPredict(workers=2))

    assert caught.value.failure.message == (
        "`SyncAPI.post_predict` has options but no hooks, and predictor `Plain` has no"
        " method `post_predict`"
    )


def test_the_method_comes_first_and_each_gets_what_it_asks_for() -> None:
    predictor = Following()
    call = Call(b"", b"q=1", [(b"x-request-id", b"mine"), (b"x-a", b"b")])

    def function(
        config: Any, response: Any, payload: Any, request_id: Any, query_params: Any
    ) -> None:
        given = (config, response, payload, request_id, query_params["q"])
        predictor.seen.append(given)

    def header(headers: Any) -> None:
        predictor.seen.append(headers["X-A"])

    async def main() -> None:
        options = PostPredict(workers=1)
        found = hooks(
            predictor, function, header, config={"a": 1}, post_predict=options
        )
        assert found is not None
        assert [method.name.rpartition(".")[2] for method in found.methods] == [
            *("post_predict", "function", "header"),
        ]
        found.follow(call, 2, 3)
        await found.drain(LIMIT)

    asyncio.run(main())

    assert predictor.seen == [("method", 3), ({"a": 1}, 3, 2, "mine", "1"), "b"]
