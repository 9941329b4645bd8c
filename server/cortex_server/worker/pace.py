"""Whether a predict is quick enough to run where the request is read.

Handing a call to a thread and its result back costs some tens of microseconds, more
than a small model takes. Running it in place costs nothing, but holds up everything
else for as long as it takes. So a function that proves quick is run in place, and the
first call that takes long sends it back to the thread; it may return on more proof
each time, and on less after it has been quick for long. Where there are several
threads, calls are meant not to wait for each other, and none is run in place.
"""

from collections import deque
from statistics import median

QUICK = 0.001
"""Seconds; in the median, faster calls gain from running in place."""
LONG = 0.005
"""Seconds; one call in place that takes longer ends it."""
PROOF = 32
"""Calls in threads that are looked at before the first move."""
_STEP, _MOST_PROOF = 4, 1 << 20


class Pace:
    """Looks at durations and decides where the next call runs.

    Args:
        threads: How many threads there are for it.
    """

    def __init__(self, threads: int) -> None:
        self.in_place = False
        self._may_move = threads == 1
        self._recent: deque[float] = deque(maxlen=PROOF)
        self._calm = 0
        self._proof = PROOF

    def stay_in_thread(self) -> None:
        """The function cannot do without the thread that built the predictor."""
        self.in_place = self._may_move = False

    def took_in_thread(self, seconds: float) -> None:
        """A call in a thread took so long."""
        self._recent.append(seconds)
        self._calm = self._calm + 1 if seconds < LONG else 0
        if self._may_move and self._calm >= self._proof:
            self._calm = 0
            self.in_place = median(self._recent) < QUICK

    def took_in_place(self, seconds: float) -> None:
        """A call in place took so long."""
        self._calm += 1
        if seconds > LONG:
            self._calm = 0
            self.in_place = False
            self._proof = min(self._proof * _STEP, _MOST_PROOF)
        elif self._calm >= self._proof * _STEP:  # it was the machine, not the function
            self._calm = 0
            self._proof = max(self._proof // _STEP, PROOF)
