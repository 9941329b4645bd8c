"""`python -m cortex_server.worker LISTENER BOARD LIFELINE ...`: see supervisor."""

import gc
import sys

gc.disable()  # see supervisor

# structlog loads Rich where it is installed, to draw tracebacks on a console. There is
# none here, and a replica would be up a quarter later.
sys.modules["rich"] = None  # type: ignore[assignment]  # hides it
import structlog  # noqa: E402, F401  # while it is hidden

del sys.modules["rich"]

from cortex_server.worker.process import main  # noqa: E402  # after structlog

if __name__ == "__main__":
    listener, board, lifeline = map(int, sys.argv[1:4])
    main((listener, board, lifeline), sys.argv[4:])
