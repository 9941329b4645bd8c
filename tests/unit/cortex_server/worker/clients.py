"""Clients and a predictor in a time of their own, for whoever decides when to start."""

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

MILLISECOND = 0.001
WRITING = 0.02 * MILLISECOND
"""What it takes to answer one request."""


class Starts(Protocol):
    """Decides when a batch starts, as Waiting does."""

    def arrived(self, now: float, waiting: int) -> None: ...
    def took(self, seconds: float) -> None: ...
    def freed(self, now: float, waiting: int) -> None: ...
    def answered(self, now: float) -> None: ...
    def start(self, waiting: int) -> float: ...


class AtOnce:
    """Never waits."""

    def arrived(self, now: float, waiting: int) -> None: ...
    def took(self, seconds: float) -> None: ...
    def freed(self, now: float, waiting: int) -> None: ...
    def answered(self, now: float) -> None: ...
    def start(self, waiting: int) -> float:
        return 0.0


@dataclass
class Predictor:
    """One at a time, for so long a batch and so long each request in it."""

    size: int
    seconds: float
    seconds_each: float = 0.0

    def takes(self, number: int) -> float:
        return self.seconds + self.seconds_each * number


@dataclass
class World:
    """What happens in it, in order of time."""

    starts: Starts
    predictor: Predictor
    now: float = 0.0
    sizes: list[int] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    """For each batch, seconds that it could have started before it did."""

    def __post_init__(self) -> None:
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._line: deque[tuple[float, Callable[[], None]]] = deque()
        self._is_busy = False
        self._free = 0.0

    def at(self, moment: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._numbers), act))

    def run(self, until: float) -> None:
        while self._events and self._events[0][0] <= until:
            self.now, _, act = heapq.heappop(self._events)
            act()
        self.now = until

    def send(self, answered: Callable[[], None] = lambda: None) -> None:
        """A request arrives now."""
        if not self._line:
            self._free = max(self._free, self.now)
        self._line.append((self.now, answered))
        self.starts.arrived(self.now, 0 if self._is_busy else len(self._line))
        self._look()

    def _look(self) -> None:
        if self._is_busy or not self._line:
            return
        moment = self.starts.start(len(self._line))
        if moment > self.now:
            self.at(moment, self._look)
        else:
            self._begin()

    def _begin(self) -> None:
        number = min(len(self._line), self.predictor.size)
        batch = [self._line.popleft() for _ in range(number)]
        self.sizes.append(number)
        self.pauses.append(self.now - self._free)
        self._is_busy = True
        seconds = self.predictor.takes(number)
        self.at(self.now + seconds, lambda: self._end(batch, seconds))

    def _end(
        self, batch: list[tuple[float, Callable[[], None]]], seconds: float
    ) -> None:
        self._is_busy, self._free = False, self.now
        self.starts.took(seconds)
        self.starts.freed(self.now, len(self._line))
        self._look()
        moment = self.now
        for sent, answered in batch:
            moment += WRITING
            self.latencies.append(moment - sent)
            self.at(moment, answered)
        self.at(moment, lambda: self.starts.answered(self.now))


def come_back(world: World, clients: int, seed: int = 1) -> None:
    """Let clients come that send the next request soon after each answer."""
    chance = random.Random(seed)

    def send() -> None:
        world.send(soon)

    def soon() -> None:
        world.at(world.now + chance.uniform(0.05, 0.5) * MILLISECOND, send)

    for _ in range(clients):
        soon()


def come_by_chance(world: World, rate: float, until: float, seed: int = 1) -> None:
    """Let requests come independently, so many in a second."""
    chance = random.Random(seed)
    moment = 0.0
    while moment < until:
        moment += chance.expovariate(rate)
        world.at(moment, world.send)
