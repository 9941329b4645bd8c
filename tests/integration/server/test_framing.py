"""What a gateway could take for one request and we for two, or the other way round."""

from collections.abc import Iterator

import pytest
from integration.server.replica import Replica, receive, running

SOURCE = """
class P:
    def predict(self, payload):
        return "predicted"
"""
# Whoever reads the request in front of it in another way takes this for the next one.
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
LINE = b"POST %b HTTP/1.1\r\nHost: a\r\n"
CHUNKS = b"1\r\n1\r\n0\r\n\r\n"


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with running(SOURCE) as replica:
        yield replica


@pytest.mark.parametrize("path", [b"/", b"//"], ids=["short", "plain"])
@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (b"Content-Length: 1\r\nContent-Length: 2", b"1"),
        (b"Content-Length: 1\r\nContent-Length: 1", b"1"),
        (b"Content-Length: 1, 1", b"1"),
        (b"Content-Length: +1", b"1"),
        (b"Content-Length: 0x1", b"1"),
        (b"Content-Length: 1_0", b"1"),
        (b"Content-Length: \xd9\xa1", b"1"),
        (b"Content-Length:", b""),
        (b"Content-Length: 1\r\nTransfer-Encoding: chunked", CHUNKS),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 1", CHUNKS),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", CHUNKS),
        (b"Transfer-Encoding: identity", b""),
        (b"Transfer-Encoding: chunked, identity", CHUNKS),
        (b"Transfer-Encoding: xchunked", CHUNKS),
        (b"Transfer-Encoding: \x0bchunked", CHUNKS),
        (b"Transfer-Encoding : chunked", CHUNKS),
        (b"Transfer-Encoding\t: chunked", CHUNKS),
        (b" Transfer-Encoding: chunked", CHUNKS),
        (b"X-A: 1\r\n folded: 1", b""),
        (b"X-A: 1\nTransfer-Encoding: chunked", CHUNKS),
        (b"X-A: 1\rTransfer-Encoding: chunked", CHUNKS),
        (b"X-A: \x00\r\nContent-Length: 1", b"1"),
        (b"X\x00A: 1\r\nContent-Length: 1", b"1"),
        (b"Host: b\r\nContent-Length: 1", b"1"),
        (b"Transfer-Encoding: chunked", b"-1\r\n1\r\n0\r\n\r\n"),
        (b"Transfer-Encoding: chunked", b"0x1\r\n1\r\n0\r\n\r\n"),
        (b"Transfer-Encoding: chunked", b" 1\r\n1\r\n0\r\n\r\n"),
        (b"Transfer-Encoding: chunked", b"\xd9\xa1\r\n1\r\n0\r\n\r\n"),
        (b"Transfer-Encoding: chunked", b"1\r\n1XX0\r\n\r\n"),
        (b"Transfer-Encoding: chunked", b"1\r\n1\n0\r\n\r\n"),
        (b"Transfer-Encoding: chunked", b"1\n1\r\n0\r\n\r\n"),
        (b"Transfer-Encoding: chunked", b"1;a\nb\r\n1\r\n0\r\n\r\n"),
        (b"Transfer-Encoding: chunked", b"1\r\n12\r\n0\r\n\r\n"),
        (b"Transfer-Encoding: chunked", b"1\r\n1\r\n0\r\nX-A: 1\r\n\r\n"),
    ],
)
def test_it_is_refused_and_nothing_that_follows_is_read(
    replica: Replica, path: bytes, fields: bytes, body: bytes
) -> None:
    with replica.connect() as connection:
        head = LINE % path + fields + b"\r\n\r\n"
        connection.sendall(head + body + SMUGGLED)
        said = receive(connection)

    assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\r\nconnection: close\r\n" in said
    assert b"smuggled" not in said
    assert said.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
        b"POST /\nHTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a b\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_so_is_a_request_without_a_host_or_of_another_grammar(
    replica: Replica, request_bytes: bytes
) -> None:
    with replica.connect() as connection:
        connection.sendall(request_bytes + SMUGGLED)
        said = receive(connection)

    assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"smuggled" not in said


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (b"Content-Length: 1 ", b"1"),
        (b"Content-Length:\t1\t", b"1"),
        (b"Transfer-Encoding: chunked", CHUNKS),
        (b"Transfer-Encoding: chunked", b"01;a=b\r\n1\r\n000\r\n\r\n"),
        (b"Transfer-Encoding: chunked", b"1 \r\n1\r\n0\r\n\r\n"),
        (b"Transfer-Encoding: chunked\r\nExpect: 100-continue", CHUNKS),
    ],
)
@pytest.mark.parametrize("path", [b"/", b"//"], ids=["short", "plain"])
def test_what_has_one_meaning_is_answered(
    replica: Replica, path: bytes, fields: bytes, body: bytes
) -> None:
    with replica.connect() as connection:
        connection.sendall(LINE % path + fields + b"\r\n\r\n" + body + SMUGGLED)
        connection.sendall(SMUGGLED.replace(b"Host", b"Connection: close\r\nHost"))
        said = receive(connection)

    assert said.count(b"HTTP/1.1 200 OK") == 1
    assert said.count(b"HTTP/1.1 404 Not Found") == 2


def test_a_client_that_waits_to_send_chunks_is_told_to_go_on(replica: Replica) -> None:
    with replica.connect() as connection:
        expecting = b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(LINE % b"/" + expecting)
        assert connection.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(CHUNKS)

        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200 OK")
