"""Whether a page shows what was printed, give or take what differs from run to run."""

import re

_VARIES = re.compile(
    r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"  # request id
    r"|\b[0-9a-f]{12}\b"  # revision
    r"|\b[0-9a-f]{6}-[0-9a-f]{6}\b"  # replica
    r"|\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?"  # time
    r"|\b[\d.]+ (s|ms|µs)\b"  # duration
)


def is_printed(expected: str, printed: str) -> bool:
    """Compare, where `...` and `…` in what is expected stand for anything."""
    parts = re.split(r"\.\.\.|…", _comparable(expected))
    pattern = ".*".join(re.escape(part) for part in parts)
    return re.fullmatch(pattern, _comparable(printed), re.DOTALL) is not None


def _comparable(text: str) -> str:
    """Without what varies, and how wide that made the columns."""
    lines = _VARIES.sub("(varies)", text.strip()).splitlines()
    return "\n".join(re.sub(r"(?<=\S)[ \t]+", " ", line).rstrip() for line in lines)
