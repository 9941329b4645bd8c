"""What is asked of every server, and what each has to answer."""

import functools
import json
from dataclasses import dataclass

MEBIBYTE = 1 << 20
BEST_BATCHED_RATE = 32 / (0.005 + 32 * 0.0001)
"""Answers of w4 in a second, if one full batch followed the other; see `model`."""
_FORM_BOUNDARY = "benchmark"


@dataclass(frozen=True, slots=True)
class Workload:
    """One request, repeated on many connections."""

    name: str
    title: str
    answer: dict[str, int]
    body: bytes
    content_type: str = "application/json"
    connections: int = 64
    has_hook: bool = False
    is_ours: bool = False
    """Whether it compares our server with itself, on all cores, and nobody else."""

    def as_form(self) -> tuple[bytes, str]:
        """Body and content type of the same body as a file in a form."""
        head = (
            f"--{_FORM_BOUNDARY}\r\n"
            'Content-Disposition: form-data; name="content"; filename="body"\r\n'
            f"Content-Type: {self.content_type}\r\n\r\n"
        )
        tail = f"\r\n--{_FORM_BOUNDARY}--\r\n"
        body = head.encode() + self.body + tail.encode()
        return body, f"multipart/form-data; boundary={_FORM_BOUNDARY}"


@functools.cache
def workloads() -> dict[str, Workload]:
    """All workloads by name, in the order of reports."""
    numbers = _numbers(MEBIBYTE)
    large = _json({"x": numbers})
    blob = bytes(range(256)) * (MEBIBYTE // 256)
    small, setosa = _json({"x": [5.1, 3.5, 1.4, 0.2]}), {"y": 0}
    found = [
        Workload("w1", "a trivial predict, sync", setosa, small),
        Workload("w2", "a trivial predict, async", setosa, small),
        Workload("w3", "a scikit-learn model", setosa, small),
        Workload("w4", "batches of up to 32, 5 ms and 0.1 ms each", setosa, small),
        # Many large bodies at once would measure queues, not servers.
        Workload("w5json", "1 MiB of JSON", {"n": len(numbers)}, large, connections=8),
        Workload(
            "w5bin",
            "1 MiB of bytes",
            {"n": len(blob)},
            blob,
            "application/octet-stream",
            connections=8,
        ),
        Workload("w6", "w1 and 10 ms of work after it", setosa, small, has_hook=True),
        Workload("p1", "5 ms of Python, one process", setosa, small, is_ours=True),
        Workload("p2", "the same, two processes", setosa, small, is_ours=True),
        Workload("s1", "5 ms of sleep, one process", setosa, small, is_ours=True),
        Workload("s4", "the same, four processes", setosa, small, is_ours=True),
    ]
    return {workload.name: workload for workload in found}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _numbers(size: int) -> list[float]:
    """Numbers of seven decimals, as many as make about `size` bytes of JSON."""
    width = len("1.0000001,")
    return [(10**7 + 10 * index + 1) / 10**7 for index in range(size // width)]
