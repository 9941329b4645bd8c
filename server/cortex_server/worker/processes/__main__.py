"""`... worker.processes NUMBER BOARD LIFELINE CHANNEL ...`: a predictor process."""

import cortex_server.worker.early  # noqa: F401, I001  # before all others

import sys

from cortex_server.worker.processes.process import main

if __name__ == "__main__":
    number, board, lifeline, channel = map(int, sys.argv[1:5])
    main(number, (board, lifeline, channel), sys.argv[5:])
