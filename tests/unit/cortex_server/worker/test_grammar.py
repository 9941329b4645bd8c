"""Rules of RFC 9112 and RFC 9110, one refused head for each."""

import time

import pytest

from cortex_server.worker.grammar import flaw_in, flaw_of_large_head

GOOD = b"POST /?a=1 HTTP/1.1\r\nHost: a:80"


@pytest.mark.parametrize(
    "head",
    [
        GOOD,
        b"GET / HTTP/1.1\r\nhost:",
        b"GET / HTTP/1.1\r\nHOST:\ta \t",
        b"GET / HTTP/1.0",
        b"GET / HTTP/1.0\r\nHost: a\r\nHost: b",
        b"M-SEARCH * HTTP/1.1\r\nHost: a",
        b"GET http://a/b HTTP/1.1\r\nHost: a",
        GOOD + b"\r\nX-A:\r\nX-A: caf\xc3\xa9 \t b\r\n!#$%&'*+-.^_`|~9z: 1",
    ],
)
def test_a_good_head_has_no_flaw(head: bytes) -> None:
    assert flaw_in(head) is None


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1", 400),
        (GOOD + b"\r\nHost: a", 400),
        (b"GET / HTTP/1.1\r\nHost: a b", 400),
        (b"GET / HTTP/1.1\r\nHost: a\xff", 400),
        (GOOD + b"\r\nTransfer-Encoding : chunked", 400),
        (GOOD + b"\r\nTransfer-Encoding\t: chunked", 400),
        (GOOD + b"\r\n Transfer-Encoding: chunked", 400),
        (GOOD + b"\r\nX-A: 1\r\n\tfolded: 2", 400),
        (GOOD + b"\r\n: no name", 400),
        (GOOD + b"\r\nno colon", 400),
        (GOOD + b"\r\nX-A: 1\nTransfer-Encoding: chunked", 400),
        (GOOD + b"\r\nX-A: 1\rTransfer-Encoding: chunked", 400),
        (GOOD + b"\r\nX-A: \x00", 400),
        (GOOD + b"\r\nX-A: \x7f", 400),
        (GOOD + b"\r\nX(A): 1", 400),
        (GOOD + b"\r\nX-\xffA: 1", 400),
        (b"POST  / HTTP/1.1\r\nHost: a", 400),
        (b"POST /\x00 HTTP/1.1\r\nHost: a", 400),
        (b"POST /\t HTTP/1.1\r\nHost: a", 400),
        (b"P(ST / HTTP/1.1\r\nHost: a", 400),
        (b"POST / HTTP/1.2\r\nHost: a", 400),
        (b"POST / HTTP/2.0\r\nHost: a", 400),
        (b"POST / http/1.1\r\nHost: a", 400),
        (b"POST /\r\nHost: a", 400),
        (b"\r\nPOST / HTTP/1.1\r\nHost: a", 400),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked", 400),
        (GOOD + b"\r\nX-A: 1" * 101, 431),
        (b"POST /%b HTTP/1.1\r\nHost: a" % (b"a" * 8192), 414),
    ],
)
def test_a_head_that_could_be_read_in_two_ways_is_refused(
    head: bytes, status: int
) -> None:
    flaw = flaw_in(head)

    assert flaw is not None
    assert flaw[0] == status


def test_no_head_takes_long_to_check() -> None:
    worst = GOOD + b"\r\n" + b"a" * 8000 + b"\x00" + b"b" * 8000
    began = time.process_time()

    assert flaw_in(worst) is not None
    assert time.process_time() - began < 0.1


def test_a_large_head_is_large_because_of_its_first_line_or_its_fields() -> None:
    assert flaw_of_large_head(b"GET /" + b"a" * 20_000)[0] == 414
    assert flaw_of_large_head(GOOD + b"\r\nX-A: " + b"a" * 20_000)[0] == 431
