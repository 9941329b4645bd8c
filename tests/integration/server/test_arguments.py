from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from integration.server.replica import Replica, running, starting

ALL = """
class P:
    def __init__(self, logger, config):
        logger.info("built", settings=config)
        self.config = config

    def predict(self, logger, request_id, headers, query_params, payload: list[int]):
        logger.info("asked", request_id_given=request_id)
        return {
            "config": self.config,
            "payload": payload,
            "query_params": query_params.getall("q"),
            "header": headers["X-Mine"],
            "request_id": request_id,
        }

    def post_predict(
        self, *, response, payload, query_params, headers, request_id, logger
    ):
        logger.info(
            "followed",
            response=response,
            payload=payload,
            query=query_params["q"],
            header=headers["x-mine"],
            request_id_given=request_id,
        )
"""
ALL_ASYNC = ALL.replace("    def p", "    async def p")


@pytest.fixture(scope="module", params=[1, 2], ids=["one process", "two"])
def processes(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(
    scope="module", params=[ALL, ALL_ASYNC], ids=["functions", "coroutines"]
)
def replica(request: pytest.FixtureRequest, processes: int) -> Iterator[Replica]:
    number = {"processes_per_replica": processes}
    with running(request.param, config={"n": 2}, **number) as replica:
        yield replica


def test_each_method_gets_what_it_asks_for_by_name(replica: Replica) -> None:
    headers = {"x-mine": "yes", "x-request-id": "Request-0042"}

    response = replica.client.post("/?q=1&q=b%20c", json=[1, 2], headers=headers)

    answer = {
        "config": {"n": 2},
        "payload": [1, 2],
        "query_params": ["1", "b c"],
        "header": "yes",
        "request_id": "Request-0042",
    }
    assert response.json() == answer
    followed = replica.logged(event="followed", request_id="Request-0042")
    assert followed["response"] == answer
    assert followed["payload"] == [1, 2]
    assert (followed["query"], followed["header"]) == ("1", "yes")
    assert followed["request_id_given"] == "Request-0042"
    assert replica.logged(event="asked", request_id="Request-0042")
    assert replica.logged(event="built", settings={"n": 2})


METHODS = {
    "method": "def predict(self): return 7",
    "coroutine": "async def predict(self): return 7",
    "static": "@staticmethod\n    def predict(): return 7",
    "class": "@classmethod\n    def predict(cls): return 7",
    "lambda": "predict = staticmethod(lambda: 7)",
}


@pytest.fixture(scope="module")
def without_arguments() -> Iterator[dict[str, Replica]]:
    """All of them, started side by side."""
    with ExitStack() as stack:
        yield {
            kind: stack.enter_context(starting(f"class P:\n    {method}\n"))
            for kind, method in METHODS.items()
        }


@pytest.mark.parametrize("kind", METHODS)
def test_a_method_that_asks_for_nothing_answers_any_body(
    without_arguments: dict[str, Replica], kind: str
) -> None:
    replica = without_arguments[kind]
    replica.wait_until_ready()

    assert replica.client.post("/", content=b"\xff\x00").json() == 7


def test_a_hook_gets_a_payload_that_predict_does_not_take() -> None:
    source = """
class P:
    def predict(self):
        return 1
    def post_predict(self, payload: dict[str, int], response):
        print(f"hook {payload} {response}")
"""
    with running(source) as replica:
        accepted = replica.client.post("/", json={"a": 1})
        refused = replica.client.post("/", json={"a": "x"})

        assert (accepted.status_code, refused.status_code) == (200, 422)
        assert replica.logged(event="hook {'a': 1} 1")
