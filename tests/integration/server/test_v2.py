"""The Open Inference Protocol is one more way into the one queue of a replica."""

import threading

import httpx
import pytest
from integration.server.replica import GATE, Replica, running

DOUBLE = """
import numpy as np

class P:
    def predict(self, payload: np.ndarray) -> np.ndarray:
        return payload * 2
"""
SLOW = f"""{GATE}
class P:
    def predict(self, payload: list[float]) -> list[float]:
        wait_at("gate")
        return payload
"""
FOLLOWED = """
import json, pathlib

class P:
    def predict(self, payload: list[float]) -> float:
        return sum(payload)

    def post_predict(self, payload, response):
        pathlib.Path("seen").write_text(json.dumps([payload, response]))
"""


def tensor(*values: float) -> dict[str, object]:
    return {
        "name": "x",
        "shape": [len(values)],
        "datatype": "FP64",
        "data": list(values),
    }


def infer(replica: Replica, *values: float) -> httpx.Response:
    body = {"inputs": [tensor(*values)]}
    return replica.client.post("/v2/models/test/infer", json=body)


@pytest.mark.parametrize("processes", [1, 2])
def test_infers_whatever_the_number_of_processes(processes: int) -> None:
    with running(DOUBLE, processes_per_replica=processes) as replica:
        answer = infer(replica, 1, 2).json()
        wrong = replica.client.post("/v2/models/test/infer", json={"inputs": []})

    (output,) = answer["outputs"]
    assert (output["datatype"], output["data"]) == ("FP64", [2, 4])
    assert (answer["model_name"], len(answer["model_version"])) == ("test", 12)
    assert (wrong.status_code, list(wrong.json())) == (400, ["error"])


def test_only_the_revision_is_a_version() -> None:
    with running(DOUBLE) as replica:
        (version,) = replica.client.get("/v2/models/test").json()["versions"]
        ways = {
            replica.client.get(f"/v2/models/test/versions/{one}{way}").status_code
            for one in (version, "1")
            for way in ("", "/ready")
        }
        there = replica.client.get(f"/v2/models/test/versions/{version}/ready")

    assert ways == {200, 404}
    assert there.json() == {"name": "test", "ready": True}


def test_a_full_replica_refuses_in_the_form_of_the_protocol() -> None:
    with running(SLOW, max_replica_concurrency=1) as replica:
        first = threading.Thread(target=infer, args=(replica, 1))
        first.start()
        replica.wait_for_metric("cortex_in_flight_requests", 1)

        refused = infer(replica, 1)
        replica.open_gate("gate")
        first.join()
        replica.wait_for_metric("cortex_in_flight_requests", 0)

    assert refused.status_code == 503
    assert "retry-after" in refused.headers
    assert list(refused.json()) == ["error"]


def test_the_time_limit_holds() -> None:
    with running(SLOW, timeout=0.3) as replica:
        answer = infer(replica, 1)
        replica.open_gate("gate")

    assert (answer.status_code, list(answer.json())) == (504, ["error"])


def test_a_hook_sees_the_payload_and_the_result() -> None:
    with running(FOLLOWED) as replica:
        infer(replica, 1, 2)
        replica.wait_for_metric("cortex_post_predict_total", 1, outcome="run")

        seen = (replica.folder / "root" / "seen").read_text()

    assert seen == "[[1.0, 2.0], 3.0]"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/nothing", 404),
        ("GET", "/v2/models/other", 404),
        ("POST", "/v2/models/other/infer", 404),
        ("GET", "/v2/models/test/infer", 405),
        ("DELETE", "/v2", 405),
    ],
)
def test_every_error_has_the_form_of_the_protocol(
    method: str, path: str, status: int
) -> None:
    with running(DOUBLE) as replica:
        answer = replica.client.request(method, path)

    assert answer.status_code == status
    assert list(answer.json()) == ["error"]
    assert answer.headers["content-type"] == "application/json"
