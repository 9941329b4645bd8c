"""Requests of every kind, and what their answers have in common."""

import re

from sanic.server.protocols.http_protocol import HttpProtocol

from cortex_server.worker.http import StrictHttp

LARGEST = 5000
"""Bytes that the servers of these tests take as a body."""


class PlainProtocol(HttpProtocol):
    """Sanic's own way, except for sizes of bodies, which both ways read strictly."""

    __touchup__ = ()  # type: ignore[assignment]  # what is inherited is touched up
    HTTP_CLASS = StrictHttp


def post(
    body: bytes = b"[1]",
    *fields: bytes,
    line: bytes = b"POST / HTTP/1.1",
    length: bytes | None = None,
) -> bytes:
    size = b"%d" % len(body) if length is None else length
    kind = b"Content-Type: application/json"
    lines = (line, b"Host: a", kind, *fields, b"Content-Length: %b" % size)
    return b"\r\n".join((*lines, b"", body))


PLAIN = post()
CHUNKED = (
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n"
)


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
REQUESTS = {
    "plain": PLAIN,
    "at the endpoint": post(line=b"POST /echo?a=1&a=2&b=&=&c=%C3%BC+1 HTTP/1.1"),
    "endpoint with a slash": post(line=b"POST /echo/ HTTP/1.1"),
    "other path": post(line=b"POST /other HTTP/1.1"),
    "encoded path": post(line=b"POST /%65cho HTTP/1.1"),
    "absolute target": post(line=b"POST http://a/echo?a=1 HTTP/1.1"),
    "target of a proxy": post(line=b"POST a:80 HTTP/1.1"),
    "no target": post(line=b"POST HTTP/1.1"),
    "star": post(line=b"POST * HTTP/1.1"),
    "fragment": post(line=b"POST /?a=1#b HTTP/1.1"),
    "two question marks": post(line=b"POST /?a=1?b=2 HTTP/1.1"),
    "empty query": post(line=b"POST /? HTTP/1.1"),
    "dots": post(line=b"POST /./ HTTP/1.1"),
    "double slash": post(line=b"POST //echo HTTP/1.1"),
    "long query": post(line=b"POST /?a=%b HTTP/1.1" % (b"1" * 3000)),
    "lower-case method": post(line=b"post / HTTP/1.1"),
    "http 1.0": post(line=b"POST / HTTP/1.0"),
    "http 1.0 kept": post(b"1", b"Connection: keep-alive", line=b"POST / HTTP/1.0"),
    "http 1.2": post(line=b"POST / HTTP/1.2"),
    "http 0.9": b"POST /\r\n\r\n",
    "two spaces": post(line=b"POST  /  HTTP/1.1"),
    "no body": post(b""),
    "no length": b"POST / HTTP/1.1\r\nHost: a\r\n\r\n",
    "no fields": b"POST / HTTP/1.1\r\n\r\n",
    "chunked": CHUNKED,
    "chunked oddly": CHUNKED.replace(b"chunked", b"Chunked"),
    "chunked and gzip": CHUNKED.replace(b"chunked", b"gzip, chunked"),
    "chunks with trailer": CHUNKED.replace(b"0\r\n\r\n", b"0\r\nX-A: 1\r\n\r\n"),
    "broken chunks": CHUNKED.replace(b"2\r\n", b"zz\r\n"),
    "expect": post(b"[1]", b"Expect: 100-continue"),
    "expect oddly": post(b"[1]", b"eXPECT: 100-Continue"),
    "expect magic": post(b"[1]", b"Expect: magic"),
    "close": post(b"[1]", b"Connection: close"),
    "close oddly": post(b"[1]", b"CONNECTION: Close"),
    "keep-alive": post(b"[1]", b"connection: keep-alive"),
    "several connection options": post(b"[1]", b"Connection: keep-alive, x"),
    "upgrade": post(b"[1]", b"Connection: upgrade", b"Upgrade: h2c"),
    "upgrade to websocket": post(b"[1]", b"Upgrade: websocket"),
    "gzip": post(b"[1]", b"Content-Encoding: gzip"),
    "identity": post(b"[1]", b"Content-Encoding: identity"),
    "no host": PLAIN.replace(b"Host: a\r\n", b""),
    "two hosts": post(b"[1]", b"Host: b"),
    "odd names": post(b"[1]", b"x-A: 1", b"X-a: 2", b"x~!#$: 3", b"0: 4"),
    "empty value": post(b"[1]", b"X-A:", b"X-B: "),
    "padded value": post(b"[1]", b"X-A: \t 1 \t "),
    "values beyond ascii": post(b"[1]", "X-A: ü".encode(), b"X-B: \xff\xfe"),
    "own id": post(b"[1]", b"X-Request-ID: mine-1"),
    "unfit id": post(b"[1]", b"x-request-id: a b"),
    "two ids": post(b"[1]", b"x-request-id: a", b"X-Request-Id: b"),
    "trace": post(b"[1]", b"traceparent: 00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"),
    "no colon": post(b"[1]", b"nonsense"),
    "space before the colon": post(b"[1]", b"X-A : 1"),
    "folded": post(b"[1]", b"X-A: 1\r\n X-B: 2"),
    "folded with a tab": post(b"[1]", b"X-A: 1\r\n\tX-B: 2"),
    "only line feeds": PLAIN.replace(b"\r\n", b"\n"),
    "some line feeds": PLAIN.replace(b"Host: a\r\n", b"Host: a\n"),
    "only carriage returns": PLAIN.replace(b"\r\n", b"\r"),
    "nul": post(b"[1]", b"X-A: 1\x002"),
    "many fields": post(b"[1]", *(b"X-%d: 1" % number for number in range(300))),
    "two lengths": post(b"[1]", b"Content-Length: 3"),
    "two different lengths": post(b"[1]", b"Content-Length: 1"),
    "list of lengths": post(length=b"3, 3"),
    "length and chunks": post(b"[1]", b"Transfer-Encoding: chunked"),
    "signed length": post(length=b"+3"),
    "negative length": post(length=b"-3"),
    "empty length": post(length=b""),
    "padded length": post(length=b"  3  "),
    "length with zeros": post(length=b"0003"),
    "length with a line": post(length=b"1_1"),
    "length in other digits": post(length="٣".encode()),
    "hexadecimal length": post(length=b"0x3"),
    "fractional length": post(length=b"3.0"),
    "huge length": post(length=b"9" * 19),
    "endless length": post(length=b"9" * 400),
    "length too short": post(length=b"1"),
    "length too long": post(length=b"300"),
    "largest": post(b'"%b"' % (b"x" * (LARGEST - 2))),
    "too large": post(b'"%b"' % (b"x" * (LARGEST - 1))),
    "large head": post(b"[1]", b"X-A: %b" % (b"1" * 8000)),
    "too large head": post(b"[1]", b"X-A: %b" % (b"1" * 9000)),
    "failing": post(line=b"POST /?fail=1 HTTP/1.1"),
    "broken json": post(b"{"),
    "text": post(b"\xc3\xbc").replace(b"application/json", b"text/plain"),
    "bytes": post(b"\0\xff").replace(b"application/json", b"a/b"),
    "form": post(b"a=1").replace(b"json", b"x-www-form-urlencoded"),
    "broken form": post(b"a").replace(b"application/json", b"multipart/form-data"),
    "get": GET,
    "head": b"HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n",
    "put": PLAIN.replace(b"POST", b"PUT"),
    "delete": b"DELETE / HTTP/1.1\r\n\r\n",
    "options": b"OPTIONS / HTTP/1.1\r\n\r\n",
    "connect": b"CONNECT / HTTP/1.1\r\n\r\n",
    "posted": PLAIN.replace(b"POST", b"POSTED"),
    "empty lines first": b"\r\n\r\n" + PLAIN,
    "empty line after": PLAIN + b"\r\n",
    "garbage": b"\0\xffgarbage\r\n\r\n",
    "garbage after": PLAIN + b"\0\xffgarbage",
    "start of http 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "half a line": b"POST / HT",
    "half a head": b"POST / HTTP/1.1\r\nHos",
    "half a body": PLAIN[:-1],
    "two": PLAIN + post(b"[2]"),
    "ten": b"".join(post(b"%d" % number) for number in range(10)),
    "mixed": PLAIN + CHUNKED + PLAIN + GET + PLAIN,
    "closed between": PLAIN + post(b"[1]", b"Connection: close") + PLAIN,
}


def comparable(said: bytes) -> bytes:
    """Without what differs by design.

    New ids are new, the order of fields has no meaning, and Sanic puts an empty
    `alt-svc` in the place of the user's, which the short way leaves alone.
    """
    said = re.sub(rb"(?i)x-request-id: [0-9a-f]{8}-[0-9a-f-]{27}\r\n", b"", said)
    said = re.sub(rb'"request_id":"[0-9a-f]{8}-[0-9a-f-]{27}"', b"", said)
    said = re.sub(rb"(?i)alt-svc: [^\r]*\r\n", b"", said)
    return re.sub(
        rb"(HTTP/1\.1 \d[^\r]*)\r\n(.*?)\r\n\r\n",
        lambda head: b"\r\n".join(
            [head[1], *sorted(head[2].lower().split(b"\r\n")), b"", b""]
        ),
        said,
        flags=re.DOTALL,
    )
