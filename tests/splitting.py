"""What a traffic splitter promises, whichever target it is on."""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

SIGMAS = 5
"""How far a count may be from what is expected: one run in a million is further."""


@dataclass(frozen=True)
class Answer:
    """Of one request through a splitter."""

    status: int
    api: str
    """What the header `x-cortex-api` says."""
    cookies: str = ""
    """What the header `set-cookie` says."""


Send = Callable[[Mapping[str, str]], Answer]
"""Sends one request with these headers over a connection of its own or a kept one."""


def about(count: int, share: float, total: int) -> bool:
    """Whether a count is what chance makes of a share."""
    deviation = math.sqrt(total * share * (1 - share))
    return abs(count - total * share) <= SIGMAS * deviation


def check_weights(send: Send, weights: Mapping[str, int], total: int = 1000) -> None:
    """Requests are shared out as declared, and each is answered."""
    answers = [send({}) for _ in range(total)]

    counts = Counter(answer.api for answer in answers)
    assert {answer.status for answer in answers} == {200}
    assert counts.keys() == {name for name, weight in weights.items() if weight}
    for name, weight in weights.items():
        assert about(counts[name], weight / 100, total), counts


def check_rule(send: Send, header: str, value: str, api: str) -> None:
    """Requests with the header go to the one API, case of its name or not."""
    for name in (header, header.upper()):
        assert {send({name: value}).api for _ in range(50)} == {api}


def check_header_decides(send: Send, header: str, weights: Mapping[str, int]) -> None:
    """Callers stay with one API each, and are shared out as declared."""
    callers = 300
    met = [
        {send({header: f"caller-{n}"}).api for _ in range(3)} for n in range(callers)
    ]

    assert {len(apis) for apis in met} == {1}
    counts = Counter(api for apis in met for api in apis)
    for name, weight in weights.items():
        assert about(counts[name], weight / 100, callers), counts


def check_cookie_decides(send: Send, weights: Mapping[str, int]) -> None:
    """The first answer has a cookie with which the caller stays where it was."""
    firsts = [send({}) for _ in range(100)]

    counts = Counter(first.api for first in firsts)
    for name, weight in weights.items():
        assert about(counts[name], weight / 100, len(firsts)), counts
    for first in firsts[:20]:
        cookie = first.cookies.partition(";")[0]
        again = [send({"cookie": f"a=b; {cookie}; c=d"}) for _ in range(3)]
        assert {answer.api for answer in again} == {first.api}
