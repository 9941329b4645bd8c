"""`python -m cortex_server.worker LISTENER BOARD LIFELINE LOGS ...`: see supervisor."""

import cortex_server.worker.early  # noqa: F401, I001  # before all others

import sys

from cortex_server.worker.process import Descriptors, main

if __name__ == "__main__":
    listener, board, lifeline = map(int, sys.argv[1:4])
    logs = tuple(int(log) for log in sys.argv[4].split(",") if log)
    main(Descriptors(listener, board, lifeline, logs), sys.argv[5:])
