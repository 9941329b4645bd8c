"""`python -m cortex_server`: one replica in the foreground, see launch.py."""

import sys

from cortex_server.supervisor.process import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
