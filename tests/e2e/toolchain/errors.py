"""Why tests on a real cluster cannot run on this machine."""


class Unavailable(Exception):  # noqa: N818  (it is a reason, not always a fault)
    """One sentence: what is missing, and what to do about it."""
