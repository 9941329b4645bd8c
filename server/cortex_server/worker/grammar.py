"""The head of a request as RFC 9112 has it.

Sanic takes more, which a gateway may read in another way: what is one request to it
could be two to us.
"""

import re

LONGEST_TARGET = 8192
"""Bytes of path and query together."""

MOST_FIELDS = 100
"""Header fields of a request."""

LARGEST_HEAD = 16384
"""Bytes of a head; also the most that Sanic permits."""

_BAD_REQUEST, _LARGE_FIELDS = 400, 431
_TOO_LONG = (
    414,
    f"path and query are longer than {LONGEST_TARGET} bytes; send a body instead",
)
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_LINE = rb"(?:%b) ([!-~]++) HTTP/1\.([01])" % _TOKEN
_FIELD = rb"\r\n(?:%b):[\t -~\x80-\xff]*+" % _TOKEN
_HEAD = re.compile(rb"%b(?:%b)*+" % (_LINE, _FIELD))
_HOST = re.compile(rb"\r\nhost:[\t ]*+([^\r]*+)", re.IGNORECASE)
_HOST_VALUE = re.compile(rb"[!-~]*+[\t ]*+")
_ENCODED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)


def flaw_in(head: bytes) -> tuple[int, str] | None:
    """Status and reason with which a head is to be refused, None for a good one."""
    if head.count(b"\r\n") > MOST_FIELDS:
        return _LARGE_FIELDS, f"the request has more than {MOST_FIELDS} header fields"
    found = _HEAD.fullmatch(head)
    if found is None:
        return _BAD_REQUEST, "the first line or a header field of the request is broken"
    if len(found[1]) > LONGEST_TARGET:
        return _TOO_LONG
    if found[2] == b"0":
        is_encoded = _ENCODED.search(head) is not None
        reason = "HTTP/1.0 has no transfer-encoding" if is_encoded else ""
    else:
        hosts = _HOST.findall(head)
        is_one = len(hosts) == 1 and _HOST_VALUE.fullmatch(hosts[0]) is not None
        reason = "" if is_one else "the request must have exactly one header `host`"
    return (_BAD_REQUEST, reason) if reason else None


def flaw_of_large_head(begin: bytes) -> tuple[int, str]:
    """The same for a head that is too large, from its begin."""
    if len(begin.partition(b"\r\n")[0]) > LONGEST_TARGET:
        return _TOO_LONG
    reason = f"the header fields are larger than {LARGEST_HEAD >> 10} KiB"
    return _LARGE_FIELDS, reason
