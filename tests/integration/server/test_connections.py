from collections.abc import Iterator

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from integration.server.replica import (
    Replica,
    receive,
    receive_response,
    request_bytes,
    running,
)

SOURCE = """
class P:
    def predict(self, payload):
        return repr(payload)
"""
_TOKENS = st.sampled_from(
    [
        *(b"POST", b"GET", b"PUT", b" ", b"/", b"/%ff", b"*", b"http://x/", b"?a=1"),
        *(b" HTTP/1.1", b" HTTP/1.0", b" HTTP/9", b"\r\n", b"\r\n\r\n", b"\n", b"\r"),
        *(b"host: x", b"content-length: ", b"0", b"3", b"-1", b"1e3", b"99999999999"),
        *(b"transfer-encoding: chunked", b"3\r\nabc\r\n", b"0\r\n\r\n", b"zz\r\n"),
        *(b"connection: ", b"close", b"keep-alive", b"upgrade: websocket", b"upgrade"),
        *(b"expect: 100-continue", b"expect: x", b"content-type: ", b"; charset="),
        *(b"application/json", b"text/plain", b"multipart/form-data; boundary=b"),
        *(b"x-request-id: ", b"traceparent: ", b"\x00", b"\xff", b":", b"--b--", b"[1"),
    ]
)
_NOISE = st.lists(_TOKENS | st.binary(max_size=20), max_size=15).map(b"".join)


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with running(SOURCE) as replica:
        yield replica


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(noise=_NOISE, is_framed=st.booleans())
@example(noise=b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nab", is_framed=False)
@example(noise=b"GET / HTTP/1.1\r\nupgrade: websocket\r\n\r\n", is_framed=False)
def test_no_bytes_bring_it_down_or_make_it_fail(
    replica: Replica, noise: bytes, *, is_framed: bool
) -> None:
    with replica.connect() as connection:
        try:
            connection.sendall(request_bytes(noise) if is_framed else noise)
            connection.shutdown(1)
            answer = receive(connection)
        except (BrokenPipeError, ConnectionResetError):
            answer = b""

    assert b" 500 " not in answer.partition(b"\r\n")[0]
    assert replica.client.post("/", content=b"").status_code == 200
    assert replica.metric("cortex_in_flight_requests") == 0


@pytest.mark.parametrize(
    "noise",
    [
        *(b"", b"GET", b"POST / HTTP/1.1\r\n\r", b"\x00\xff\r\n\r\n"),
        *(b"\xff \xff \xff\r\n\r\n", request_bytes(b"[1]")[:-1], request_bytes()),
    ],
)
def test_clients_that_talk_nonsense_or_hang_up_are_not_logged(
    replica: Replica, noise: bytes
) -> None:
    for _ in range(5):
        with replica.connect() as connection:
            connection.sendall(noise)
    replica.client.post("/")

    assert not replica.log(level="error")
    assert not replica.log(level="warning")


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: +1\r\n\r\na",
        b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n",
        b"POST /\xff HTTP/1.1\r\n\r\n",
        b"POST http://[ HTTP/1.1\r\n\r\n",
        b"\xff \xff \xff\r\n\r\n",
        b"POST / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /\r\n\r\n",
        b"POST / HTTP/2\r\n\r\n",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_and_the_connection_closed(
    replica: Replica, head: bytes
) -> None:
    with replica.connect() as connection:
        connection.sendall(head)
        status, headers, body = receive_response(connection)

        assert status == 400
        assert headers["connection"] == "close"
        assert headers["content-type"] == "application/problem+json"
        assert connection.recv(1) == b""
        assert httpx.Response(status, content=body).json()["status"] == 400


def test_an_old_client_is_answered_and_the_connection_closed(replica: Replica) -> None:
    with replica.connect() as connection:
        connection.sendall(b"POST / HTTP/1.0\r\ncontent-length: 0\r\n\r\n")

        assert receive(connection).endswith(b"b''")


@pytest.mark.parametrize("sent", [b"5\r\nhello\r\n", b"5\r\nhel", b"", b"5"])
def test_a_body_that_breaks_off_is_no_prediction(replica: Replica, sent: bytes) -> None:
    before = replica.metric("cortex_requests_total")
    with replica.connect() as connection:
        head = b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
        connection.sendall(head + sent)

    assert replica.client.post("/", content=b"").status_code == 200
    assert replica.metric("cortex_requests_total") == before + 1
