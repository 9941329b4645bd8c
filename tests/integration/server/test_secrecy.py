"""What nobody learns through the public address."""

import re
from collections.abc import Iterator

import pytest
from integration.server.replica import Replica, receive, running

SOURCE = """
import json
from sanic.exceptions import SanicException

class Odd:
    def __repr__(self):
        raise RuntimeError("hush")

class P:
    def predict(self, payload, query_params):
        match query_params.get("how"):
            case "raise":
                raise RuntimeError("hush " + __file__)
            case "key":
                return {}["hush"]
            case "json":
                return {"hush": Odd()}
            case "exit":
                raise SystemExit("hush")
            case "chain":
                try:
                    json.loads("hush")
                except ValueError as error:
                    raise OSError(2, "hush", __file__) from error
            case "group":
                raise ExceptionGroup("hush", [ValueError("hush")])
        return None
"""
# Names of files, modules and exceptions; what Python prints of objects and frames.
INSIDE = re.compile(
    rb"hush|Traceback|\.py|site-packages|cortex_server|sanic|/tmp|/root|replica-"
    rb"|(?<!RFC )\w+(Error|Exception)\b|<\w+ object|0x[0-9a-f]{6}|codec|list index",
    re.IGNORECASE,
)
JSON, FORM = b"application/json", b"multipart/form-data; boundary=b"


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with running(SOURCE) as replica:
        yield replica


def request(target: bytes, kind: bytes = JSON, body: bytes = b"[1]") -> bytes:
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: %b\r\n"
    return head % (target, kind) + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.mark.parametrize("path", [b"/", b"//"], ids=["short", "plain"])
@pytest.mark.parametrize(
    ("query", "kind", "body"),
    [
        *((how, JSON, b"[1]") for how in (b"raise", b"key", b"json", b"exit")),
        *((how, JSON, b"[1]") for how in (b"chain", b"group")),
        (b"", JSON, b"{"),
        (b"", JSON, b"\xff"),
        (b"", FORM, b"--b\r\nno colon\r\n\r\n1\r\n--b--"),
        (b"", FORM, b"--b\r\n\xff: 1\r\n\r\n1\r\n--b--"),
        (b"", FORM, b"nothing"),
        (b"", b"application/x-www-form-urlencoded", b"\xff=\xff"),
    ],
)
def test_errors_say_nothing_of_the_inside(
    replica: Replica, path: bytes, query: bytes, kind: bytes, body: bytes
) -> None:
    with replica.connect() as connection:
        connection.sendall(request(path + b"?how=" + query, kind, body))
        said = receive(connection)

    assert re.match(rb"HTTP/1.1 (400|500) ", said)
    assert not INSIDE.search(said), INSIDE.search(said)


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\xff\r\n\r\n",
        b"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"DELETE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 1\r\n\r\n1",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 20_000,
        b"GET /?" + b"a" * 20_000,
    ],
)
def test_nor_do_answers_to_what_cannot_be_read(replica: Replica, data: bytes) -> None:
    with replica.connect() as connection:
        connection.sendall(data)
        connection.shutdown(1)
        said = receive(connection)

    assert not INSIDE.search(said), INSIDE.search(said)
    assert b"server:" not in said.lower()
    assert not said or re.match(rb"HTTP/1.1 4\d\d ", said)


@pytest.mark.parametrize(
    "path",
    [
        *("/healthz", "/readyz", "/metrics", "/in-flight/10", "/drain"),
        *("/./metrics", "/%2e/metrics", "/metrics/", "/metrics?x=1"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD", "DELETE"])
def test_nothing_of_the_admin_address_is_reached_through_the_public_one(
    replica: Replica, method: str, path: str
) -> None:
    answer = replica.client.request(method, path)

    assert answer.status_code == 404
    assert b"cortex_" not in answer.content
    assert replica.admin.get("/readyz").is_success


def test_what_the_log_of_a_failure_has_the_answer_has_not(replica: Replica) -> None:
    replica.client.post("/?how=raise", headers={"x-request-id": "raised"})

    assert "hush" in replica.logged(request_id="raised", level="error")["exception"]
