"""How long a batch that could start waits for more requests.

Whether the next request is worth a wait is looked at one step ahead. While `n` wait
and the predictor is free, another second costs those `n` a second each; whoever comes
too late waits for a whole batch. So to wait pays for as long as `n + 1` times the wait
is less than a batch takes. Requests that come one by one at an even rate then find
batches as large as what comes during one batch; that a limit of this kind is the best
there is was shown by Deb and Serfozo, "Optimal control of batch service queues",
Advances in Applied Probability 5 (1973).

Real clients do not come at an even rate: they come back when they are answered. How
likely one more is depends on how many are there already: nearly certain at 10 of 64,
out of the question at 64 of 64. So for each number it is learned how often the next
request came soon enough, whether one waited for it or not, and a wait begins only
where that was so most of the time. A lone client, or one whose companions are all
there, never waits.
"""

WEIGHT = 0.25
"""Of the newest observation: two bad ones end waiting, four good ones begin it."""

ENOUGH = 2 / 3
"""How often the next one must have come in time; at an even rate, 0.63 breaks even."""


class Waiting:
    """Observes requests and batches, and says when the next batch starts.

    Args:
        size: Most requests in a batch.
        longest: Seconds that a free predictor waits at most.
    """

    def __init__(self, size: int, longest: float) -> None:
        self._size = size
        self._longest = longest
        self._chances = [0.0] * size  # that the next comes in time, by those there
        self._seconds = 0.0  # that a batch takes
        self._there = 0  # who wait, or would if no batch had started; 0: no matter
        self._last = 0.0  # when that changed
        self._free = 0.0  # since when a wait is ours

    def arrived(self, now: float, waiting: int) -> None:
        """A request has come.

        Args:
            now: The time.
            waiting: How many wait with it, or 0 where no predictor is free.
        """
        if self._there:
            self._learn(now - self._last <= self._worth(self._there))
        if waiting == 1:
            self._free = now
        if waiting or self._there:
            self._there = (waiting or self._there + 1) % self._size
        self._last = now

    def took(self, seconds: float) -> None:
        """A batch has taken so long."""
        weight = WEIGHT if self._seconds else 1
        self._seconds += weight * (seconds - self._seconds)

    def freed(self, now: float, waiting: int) -> None:
        """A predictor has become free while so many waited."""
        if self._there and now - self._last > self._worth(self._there):
            self._learn(came=False)
        self._there = waiting % self._size
        self._last = self._free = now

    def answered(self, now: float) -> None:
        """The last batch is answered: only now can its clients come back."""
        self._last = now

    def start(self, waiting: int) -> float:
        """When to start a batch of those who wait, unless another comes before."""
        if waiting >= self._size or self._chances[waiting] < ENOUGH:
            return self._last
        return min(self._last + self._worth(waiting), self._free + self._longest)

    def _worth(self, waiting: int) -> float:
        """Seconds that the next request is worth to wait for."""
        return min(self._seconds / (waiting + 1), self._longest)

    def _learn(self, came: bool) -> None:  # noqa: FBT001  # a private word
        chance = self._chances[self._there]
        self._chances[self._there] += WEIGHT * (came - chance)
