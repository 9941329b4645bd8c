"""A cluster by hand: `python -m e2e.cluster`, until Ctrl-C or the end of its input."""

import argparse
import signal
import sys
import threading

from e2e.cluster import starting
from e2e.cluster.cluster import Cluster
from e2e.toolchain.errors import Unavailable


def main() -> str | None:
    """Bring a cluster up, say how it is reached, and wait to be told to end."""
    parser = argparse.ArgumentParser(prog="python -m e2e.cluster", description=__doc__)
    help_text = "install Envoy Gateway and KEDA, too"
    parser.add_argument("--platform", action="store_true", help=help_text)
    wants_platform = parser.parse_args().platform
    over = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: over.set())
    try:
        with starting.cluster(_say) as cluster:
            if wants_platform:
                starting.install(cluster, _say)
            _introduce(cluster)
            over.wait()
    except Unavailable as reason:
        return str(reason)
    return None


def _introduce(cluster: Cluster) -> None:
    _say(f"export KUBECONFIG={cluster.kubeconfig}")
    _say(f"export PATH={cluster.kube}:$PATH")
    _say(f"inside its network: {' '.join(cluster.inside('COMMAND'))}")
    _say(f"package index for pods: {cluster.layout.packages}")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
