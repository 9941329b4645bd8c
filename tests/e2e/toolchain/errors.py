"""Why tests on a real cluster cannot run on this machine."""

import os


class Unavailable(Exception):  # noqa: N818  (it is a reason, not always a fault)
    """One sentence: what is missing, and what to do about it."""


def is_fatal() -> bool:
    """Whether this machine must run everything, so that nothing may be skipped."""
    return os.environ.get("CI") == "true"
