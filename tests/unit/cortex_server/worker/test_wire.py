import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_server.worker.answer import Answer, fields_of
from cortex_server.worker.grammar import LONGEST_TARGET, MOST_FIELDS
from cortex_server.worker.wire import Reader, written

PATHS = frozenset((b"/", b"/iris"))
LARGEST, LARGEST_HEAD = 1 << 20, 1 << 13
PLAIN = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"


def request(body: bytes, *fields: bytes, target: bytes = b"/iris?a=1") -> bytes:
    head = b"\r\n".join((b"POST %b HTTP/1.1" % target, b"Host: a", *fields))
    return b"%b\r\nContent-Length: %d\r\n\r\n%b" % (head, len(body), body)


def reader() -> Reader:
    return Reader(PATHS, LARGEST, LARGEST_HEAD)


def test_a_whole_request_is_read_at_once() -> None:
    read = reader()

    assert read.begin(request(b"abc", b"X-A: 1"))

    assert not read.is_reading
    assert (read.call.body, read.call.query) == (b"abc", b"a=1")
    fields = [(b"host", b"a"), (b"x-a", b"1"), (b"content-length", b"3")]
    assert read.call.fields == fields
    assert read.rest == b""


def test_one_request_follows_another() -> None:
    read = reader()

    for body in (b"one", b"", b"3" * 2 * LARGEST_HEAD, b"four"):
        assert read.begin(request(body))
        assert read.call.body == body


@given(
    body=st.binary(max_size=40) | st.integers(20000, 20010).map(bytes),
    rest=st.sampled_from([b"", PLAIN, b"\0garbage"]),
    cuts=st.lists(st.integers(0, 20100), max_size=5),
)
def test_a_body_may_come_in_any_pieces(
    body: bytes, rest: bytes, cuts: list[int]
) -> None:
    data = request(body, b"X-A: 1")
    head = data.index(b"\r\n\r\n") + 4
    places = sorted({head, *(c for c in cuts if head < c < len(data)), len(data)})
    pieces = [data[a:b] for a, b in zip([0, *places], places, strict=False)]
    pieces = [piece for piece in pieces if piece]
    pieces[-1] += rest if len(pieces) > 1 else b""

    read = reader()
    assert read.begin(pieces[0])
    for piece in pieces[1:]:
        assert read.is_reading
        whole = read.go_on(piece)
        assert whole is (not read.is_reading)

    assert not read.is_reading
    assert read.call.body == body
    assert read.rest == (rest if len(pieces) > 1 else b"")


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Le",
        b"POST / HTTP/1.1\r\nHost: a\r\n",
        b"POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nbroken\r\nContent-Length: 0\r\n\r\n",
        request(b"abc", b"Connection: keep-alive"),
        request(b"abc", b"Expect: 100-continue"),
        request(b"abc", b"Content-Encoding: gzip"),
        request(b"abc", b"Transfer-Encoding: chunked"),
        request(b"abc", b"Content-Length: 4"),
        request(b"x" * (LARGEST + 1)),
        request(b"abc", b"X-A: " + b"1" * LARGEST_HEAD),
        PLAIN.replace(b"Host: a\r\n", b""),
        request(b"abc", b"Host: a"),
        PLAIN.replace(b"Host: a", b"Host: a b"),
        PLAIN.replace(b"Host: a", b"Host: \xff"),
        PLAIN.replace(b"POST /", b"POST /?" + b"a" * LONGEST_TARGET),
        request(b"abc", *[b"X-A: 1"] * MOST_FIELDS),
        PLAIN + PLAIN,
        PLAIN + b"garbage",
        b"",
        b"\0",
    ],
)
def test_what_is_unusual_is_left_alone_and_forgotten(data: bytes) -> None:
    read = reader()

    assert not read.begin(data)
    assert not read.is_reading
    assert read.begin(PLAIN)
    assert read.call.body == b"abc"


@given(st.binary(max_size=200).map(lambda noise: b"POST / HTTP/1.1\r\n" + noise))
def test_no_noise_breaks_it(data: bytes) -> None:
    read = reader()

    read.begin(data)

    fresh = reader()
    assert fresh.begin(PLAIN)


def test_a_response_has_length_type_id_and_fields() -> None:
    answer = Answer(b"{}", fields={"retry-after": "1"}, status=503)

    assert written(answer, b"id-1", b"keep-alive") == (
        b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n"
        b"content-type: application/json\r\nretry-after: 1\r\n"
        b"connection: keep-alive\r\nx-request-id: id-1\r\n\r\n{}"
    )


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_body_has_none(status: int) -> None:
    wire = written(Answer(b"body", status=status), b"id", b"close")

    assert wire.endswith(b"\r\n\r\n")
    assert b"content-length" not in wire


def test_a_header_value_cannot_begin_another_header() -> None:
    answer = Answer(b"", fields=fields_of({"x-a": "1\r\nx-evil: 2\0"}))

    lines = written(answer, b"id", b"close").split(b"\r\n")

    assert not any(line.startswith(b"x-evil") for line in lines)


def test_a_status_without_a_name_is_written_all_the_same() -> None:
    assert written(Answer(b"", status=599), b"id", b"close").startswith(
        b"HTTP/1.1 599 "
    )


@given(st.integers(1, 300))
def test_a_request_with_a_part_of_the_next_is_left_alone(more: int) -> None:
    following = request(b"x" * 90_000)

    assert not reader().begin(PLAIN + following[:more])
