"""`python -m cortex_server`: one replica in the foreground, see launch.py."""

import gc
import sys

gc.disable()  # collecting takes longer than what there is to collect while starting

from cortex_server.supervisor.process import main  # noqa: E402  # quicker without gc

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
