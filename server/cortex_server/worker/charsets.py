"""Text in the encoding that its sender names."""

import codecs

_NONE = ("idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined")
"""Codecs of Python that no client means, and that may take very long."""


class CharsetError(ValueError):
    """Bytes are no text in that encoding; the message says why."""


def text_of(content: bytes, charset: str) -> str:
    """The bytes as text; raises CharsetError where they are none."""
    try:
        if codecs.lookup(charset).name not in _NONE:
            return content.decode(charset)
        reason = "no encoding of text on the web"
    except (ValueError, LookupError) as error:
        reason = str(error)
    msg = f"not text in {charset}: {reason}"
    raise CharsetError(msg)
