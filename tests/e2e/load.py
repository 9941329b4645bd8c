"""A steady load that is sent from inside a cluster's network.

As a program, `python -m e2e.load URL CONNECTIONS AT_LEAST`: it sends until its standard
input ends, and then prints every answer with how often it came.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from e2e.cluster.cluster import TESTS, Cluster
from integration.local.load import Load


@contextmanager
def sent(
    cluster: Cluster, url: str, *, connections: int = 8, at_least: int = 0
) -> Iterator[Callable[[], Load]]:
    """Send a load while the block runs.

    Args:
        cluster: From whose network it is sent.
        url: Where to.
        connections: How many requests are on their way at once.
        at_least: How many are sent even if the block ends earlier.

    Yields:
        What gives every answer, once the block has ended.
    """
    arguments = (url, str(connections), str(at_least))
    command = cluster.inside(sys.executable, "-m", "e2e.load", *arguments)
    printed: list[bytes] = []
    with subprocess.Popen(
        command, cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield lambda: Load(url, answers=Counter(json.loads(printed[0])))
        except BaseException:
            process.kill()
            raise
        printed.append(process.communicate()[0])


def main() -> None:
    """Send until nobody waits for more."""
    url, connections, at_least = sys.argv[1:]
    with Load(url, int(connections), int(at_least)) as load:
        sys.stdin.read()
    print(json.dumps(load.answers))  # noqa: T201


if __name__ == "__main__":
    main()
