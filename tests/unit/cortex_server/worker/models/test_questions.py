import asyncio
from typing import Any

import pytest
from sanic.exceptions import SanicException

from cortex_server.worker.models.questions import asked


def replies(*given: dict[str, Any]) -> Any:
    async def ask(name: str, data: Any) -> list[Any]:
        assert (name, data) == ("models", ("load", "iris"))
        return list(given)

    return ask


def model(name: str, **numbers: list[int]) -> dict[str, Any]:
    plain = {"versions": [1, 2], "latest": 2, "in_memory": [], "failed": []}
    return {"name": name, **plain, **numbers}


def test_what_any_process_has_in_memory_is() -> None:
    ask = replies(
        {"models": [model("iris", in_memory=[2]), model("rose")]},
        {"models": [model("iris", in_memory=[1], failed=[3]), model("lily")]},
    )

    assert asyncio.run(asked(ask, "load", "iris")) == [
        model("iris", in_memory=[1, 2], failed=[3]),
        model("lily"),
        model("rose"),
    ]


def test_what_one_process_cannot_do_is_an_error() -> None:
    ask = replies({"models": []}, {"status": 404, "error": "there is no model"})

    with pytest.raises(SanicException, match="there is no model") as caught:
        asyncio.run(asked(ask, "load", "iris"))

    assert caught.value.status_code == 404
