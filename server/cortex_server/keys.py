"""The file of API keys: what it may hold, for who writes it and for who checks it."""

import re

LARGEST = 1 << 20
"""Bytes that the file may have."""

_MARK = b"\xef\xbb\xbf"  # some editors begin a file with it
SHORTEST_KEY, LONGEST_KEY = 16, 512
_KEY = re.compile(rb"[!-~]{%d,%d}" % (SHORTEST_KEY, LONGEST_KEY))
RULE = (
    f"a key is {SHORTEST_KEY} to {LONGEST_KEY} visible ASCII characters without a space"
)


class KeysError(ValueError):
    """A file that is no file of keys; the message says where, and never shows a key."""


def keys_in(content: bytes) -> tuple[bytes, ...]:
    """Keys of a file: one a line; empty lines and those that begin with # are none.

    Raises:
        KeysError: A line is no key.
    """
    if len(content) > LARGEST:
        msg = f"it is larger than {LARGEST >> 20} MiB"
        raise KeysError(msg)
    lines = enumerate(content.removeprefix(_MARK).splitlines(), 1)
    return tuple(
        _checked(key, number)
        for number, line in lines
        if (key := line.strip()) and not key.startswith(b"#")
    )


def _checked(key: bytes, number: int) -> bytes:
    if not _KEY.fullmatch(key):
        msg = f"line {number} is no API key: {RULE}"
        raise KeysError(msg)
    return key
