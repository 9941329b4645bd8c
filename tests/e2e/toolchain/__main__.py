"""`python -m e2e.toolchain`: everything that tests on a real cluster run with."""

import sys
import time

from e2e.toolchain import build, debian
from e2e.toolchain.errors import Unavailable, is_fatal


def main() -> str | None:
    """Build and install, saying what each step took; why not, where that is fatal."""
    started = time.monotonic()
    try:
        debian.ensure()
        binaries = build.ensure(say=_say)
    except Unavailable as reason:
        if is_fatal():
            return f"toolchain: {reason}"
        _say(f"skipped: {reason}")
        return None
    for name, path in binaries.items():
        _say(f"{name}: {path}")
    _say(f"the toolchain is complete after {time.monotonic() - started:.0f} s")
    return None


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
