"""How long to wait before something that failed is tried again."""

from random import uniform

_FIRST, _LONGEST = 0.25, 30.0


def pause(retries: int) -> float:
    """Seconds before a retry, the first being number 1.

    Twice as long each time, and never the same for two that failed together.
    """
    longest = min(_FIRST * 2.0 ** (retries - 1), _LONGEST)
    return uniform(longest / 2, longest)  # noqa: S311  # nobody gains from guessing it
