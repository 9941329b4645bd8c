"""`python -m cortex_server.worker LISTENER BOARD LIFELINE ...`: see supervisor."""

import sys

from cortex_server.worker.process import main

if __name__ == "__main__":
    listener, board, lifeline = map(int, sys.argv[1:4])
    main((listener, board, lifeline), sys.argv[4:])
