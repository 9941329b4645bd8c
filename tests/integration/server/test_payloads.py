from collections.abc import Iterator
from typing import Any

import pytest
from integration.server.replica import (
    Replica,
    receive,
    receive_response,
    request_bytes,
    running,
)

UNTYPED = """
def shown(value):
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if hasattr(value, "body"):
        return [value.name, value.type, value.body.decode()]
    if hasattr(value, "getall"):
        return [[name, shown(each)] for name, each in value.items()]
    return value

class P:
    def predict(self, payload):
        return [shown(payload)]
"""
TYPED = """
import pydantic

class Flower(pydantic.BaseModel):
    petals: int
    name: str = "?"

class P:
    async def predict(self, payload: Flower | list[int]):
        return payload
"""


@pytest.fixture(scope="module")
def untyped() -> Iterator[Replica]:
    with running(UNTYPED) as replica:
        yield replica


@pytest.fixture(scope="module")
def typed() -> Iterator[Replica]:
    with running(TYPED) as replica:
        yield replica


@pytest.mark.parametrize(
    ("kind", "body", "payload"),
    [
        ("application/json", b'{"a": [1]}', {"a": [1]}),
        ("application/vnd.mine+json; charset=utf-8", b"[1]", [1]),
        ("APPLICATION/JSON", b"1", 1),
        ("text/plain", "grün".encode(), "grün"),
        ("text/csv; charset=latin-1", "grün".encode("latin-1"), "grün"),
        ("text/plain; charset=", b"x", "x"),
        (
            "application/x-www-form-urlencoded",
            b"a=1&b=&a=%C3%BC",
            [["a", "1"], ["b", ""], ["a", "\u00fc"]],
        ),
        ("application/octet-stream", b"\x00\xff", {"bytes": "00ff"}),
        ("image/png", b"", {"bytes": ""}),
        (None, b"[1]", {"bytes": "5b315d"}),
    ],
)
def test_the_content_type_says_what_an_untyped_payload_is(
    untyped: Replica, kind: str | None, body: bytes, payload: Any
) -> None:
    headers = {"content-type": kind} if kind else {}

    response = untyped.client.post("/", content=body, headers=headers)

    assert response.json() == [payload]


def test_a_form_has_its_fields_and_files(untyped: Replica) -> None:
    response = untyped.client.post(
        "/",
        data={"note": "ü"},
        files=[
            ("leaf", ("a.txt", b"one", "text/plain")),
            ("leaf", ("b.bin", b"two", "application/x-mine")),
        ],
    )

    (fields,) = response.json()
    assert fields == [
        ["note", "ü"],
        ["leaf", ["a.txt", "text/plain", "one"]],
        ["leaf", ["b.bin", "application/x-mine", "two"]],
    ]


def test_a_typed_payload_is_checked_and_built(typed: Replica) -> None:
    as_json = typed.client.post("/", json={"petals": "4"})
    as_form = typed.client.post("/", data={"petals": "4", "name": "iris"})
    without_kind = typed.client.post("/", content=b"[1]")

    assert as_json.json() == {"petals": 4, "name": "?"}
    assert as_form.json() == {"petals": 4, "name": "iris"}
    assert without_kind.json() == [1]


def test_a_body_may_come_in_chunks_and_be_announced(untyped: Replica) -> None:
    chunked = untyped.client.post(
        "/",
        content=iter([b"[1,", b"2]"]),
        headers={"content-type": "application/json"},
    )
    assert chunked.json() == [[1, 2]]

    with untyped.connect() as connection:
        connection.sendall(
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"content-length: 3\r\nexpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"[3]")
        assert receive_response(connection)[2] == b"[[3]]"


def test_a_body_of_many_megabytes_goes_through(untyped: Replica) -> None:
    body = bytes(range(256)) * (1 << 14)  # 4 MiB

    response = untyped.client.post("/", content=body)

    assert response.json() == [{"bytes": body.hex()}]


def test_pipelined_requests_are_answered_in_their_order(untyped: Replica) -> None:
    first = request_bytes(b"a", "content-type: text/plain")
    second = request_bytes(b"1", "content-type: application/json", "connection: close")
    with untyped.connect() as connection:
        connection.sendall(first + second)

        received = receive(connection)

    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert received.index(b'["a"]') < received.index(b"[1]")
