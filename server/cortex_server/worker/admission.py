"""Who may call: the keys of a file, which may change while a replica serves."""

import asyncio
import hashlib
import hmac
import secrets
from pathlib import Path
from time import monotonic

import structlog

from cortex_server.keys import LARGEST, LONGEST_KEY, KeysError, keys_in

Fields = list[tuple[bytes, bytes]]
"""Header fields in order, names in lower case."""

_EVERY, _SOON = 1.0, 0.1
_SIZE = 32


class Admission:
    """Lets calls in that bring one of the keys in a file.

    The keys are not kept, only what they hash to under a secret that this process
    alone has: comparing tells nothing about them, however long it takes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._secret = secrets.token_bytes(_SIZE)
        self._known: tuple[bytes, ...] = ()
        self._seen: bytes | str = ""
        self._looked = 0.0
        self.look()

    def follow(self) -> None:
        """Look again and again, on the loop that runs."""
        self.look()
        asyncio.get_running_loop().call_later(_EVERY, self.follow)

    def admits(self, fields: Fields) -> bool:
        """Whether one of these header fields is a key.

        It is taken out: whoever goes on with the call cannot log it.
        """
        for index, (name, value) in enumerate(fields):
            key = _key_in(name, value)
            if key and self._knows(key):
                del fields[index]
                return True
        return False

    def admits_now(self, fields: Fields) -> bool:
        """The same, after another look at the file: the key may be a new one."""
        if monotonic() - self._looked > _SOON:
            self.look()
        return self.admits(fields)

    def look(self) -> None:
        """Take over what the file holds now; what has changed for the worse is told."""
        self._looked = monotonic()
        content = self._content()
        seen = self._hash(content) if isinstance(content, bytes) else content
        if seen == self._seen:
            return
        self._seen = seen
        if isinstance(content, bytes):
            self._take(content)
        else:
            self._tell_broken(content)

    def _content(self) -> bytes | str:
        """What is in the file, or why nothing can be read; a missing file is empty."""
        try:
            with self._path.open("rb") as file:
                return file.read(LARGEST + 1)
        except FileNotFoundError:
            return b""
        except OSError as error:
            return f"it cannot be read: {error.strerror}"

    def _take(self, content: bytes) -> None:
        try:
            keys = keys_in(content)
        except KeysError as error:
            self._tell_broken(str(error))
            return
        self._known = tuple(self._hash(key) for key in keys)
        if not keys:
            structlog.get_logger().error(
                f"nobody can call this API: there is no key in {self._path}"
            )

    def _tell_broken(self, reason: str) -> None:
        kept = (
            "the keys read before stay" if self._known else "nobody can call this API"
        )
        structlog.get_logger().error(f"{kept}: {self._path} is wrong: {reason}")

    def _knows(self, key: bytes) -> bool:
        given = self._hash(key)
        return sum(hmac.compare_digest(given, known) for known in self._known) > 0

    def _hash(self, text: bytes) -> bytes:
        return hashlib.blake2b(text, key=self._secret, digest_size=_SIZE).digest()


def _key_in(name: bytes, value: bytes) -> bytes:
    """What a header field offers as a key, b"" where it offers none."""
    if len(value) > LONGEST_KEY + len(b"bearer "):
        return b""
    if name == b"x-api-key":
        return value.strip(b" \t")
    if name == b"authorization":
        scheme, _, key = value.partition(b" ")
        return key.strip(b" \t") if scheme.lower() == b"bearer" else b""
    return b""
