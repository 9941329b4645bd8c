"""The work behind every server: the same for all, only what is around it differs."""

import functools
import os
import time
from collections.abc import Callable, Sequence

PETAL_LENGTH = 2
LONGEST_SETOSA_PETAL = 2.5
CALL_SECONDS, ITEM_SECONDS = 0.005, 0.0001
MOST_IN_BATCH, LONGEST_WAIT_SECONDS = 32, 0.005
HOOK_SECONDS = 0.010
WORK_SECONDS = 0.005
HOOK_FILE_VARIABLE = "BENCHMARK_HOOK_FILE"


def label(x: Sequence[float]) -> int:
    """Answer like a model that costs nothing: one comparison."""
    return int(x[PETAL_LENGTH] >= LONGEST_SETOSA_PETAL)


def label_computing(x: Sequence[float]) -> int:
    """Answer after as much processor time as a small model in Python takes."""
    end = time.thread_time() + WORK_SECONDS
    while time.thread_time() < end:
        pass
    return label(x)


def label_sleeping(x: Sequence[float]) -> int:
    """Answer after a wait as for another machine."""
    time.sleep(WORK_SECONDS)
    return label(x)


async def label_async(x: Sequence[float]) -> int:
    return label(x)


def label_batch(xs: Sequence[Sequence[float]]) -> list[int]:
    """Take as long as a call to an accelerator: most of it whatever is in the batch."""
    time.sleep(CALL_SECONDS + ITEM_SECONDS * len(xs))
    return [label(x) for x in xs]


@functools.cache
def iris() -> Callable[[Sequence[float]], int]:
    """Fit a real model on real data; whoever calls it first waits for that."""
    from sklearn.datasets import load_iris  # noqa: PLC0415  # slow, only w3 needs it
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  # same

    data = load_iris()
    classifier = LogisticRegression(max_iter=1000).fit(data.data, data.target)
    return lambda x: int(classifier.predict([x])[0])


def count(x: Sequence[float]) -> int:
    """Do with many numbers what a model does first: make an array of them."""
    import numpy as np  # noqa: PLC0415  # slow, only w5json needs it

    return int(np.asarray(x, dtype="float32").shape[0])


def hook() -> None:
    """Block as a write to a database would, and leave one byte to prove it ran."""
    time.sleep(HOOK_SECONDS)
    os.write(_hook_file(), b".")


@functools.cache
def _hook_file() -> int:
    path = os.environ.get(HOOK_FILE_VARIABLE, os.devnull)
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
