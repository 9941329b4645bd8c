"""Whether memory stays flat: a replica after 10 000 requests and after a million.

Usage: python benchmarks/memory.py [--requests 1000000]

Ends with 1 when all processes of the replica together hold over 5 % more at the end.
"""

import argparse
import http.client
import sys

from comparison.environment import default_folder, prepare
from comparison.failure import BenchmarkError
from comparison.load import Target
from comparison.machine import Cores
from comparison.server import SERVERS_BY_NAME
from comparison.trial import Trial, started
from comparison.workload import workloads

EARLY = 10_000
LIMIT = 1.05
_PER_CONNECTION = 10_000
_MEBIBYTE = 1 << 20


def main() -> int:
    """Measure and say it; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    total = parser.parse_args().requests
    contender = prepare(SERVERS_BY_NAME["cortex"], default_folder())
    with started(contender, workloads()["w1"], Cores.choose()) as trial:
        early = _memory_after(trial, EARLY)
        late = _memory_after(trial, total - EARLY)
    ratio = late / early
    print(f"memory after {EARLY:>9,} requests  {early:7.1f} MiB")
    print(f"memory after {total:>9,} requests  {late:7.1f} MiB  {ratio:.3f} x")
    return 0 if ratio <= LIMIT else 1


def _memory_after(trial: Trial, requests: int) -> float:
    """Mebibytes of all its processes once so many more requests are answered."""
    for start in range(0, requests, _PER_CONNECTION):
        _ask(trial.target, min(_PER_CONNECTION, requests - start))
    return trial.server.usage().rss_bytes / _MEBIBYTE


def _ask(target: Target, times: int) -> None:
    """Ask so often over one connection, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    headers = {"Content-Type": target.content_type}
    try:
        for _ in range(times):
            connection.request("POST", target.path, target.body, headers)
            response = connection.getresponse()
            response.read()
            if response.status != http.client.OK:
                msg = f"status {response.status}"
                raise BenchmarkError(msg)
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
