"""What has to happen in a process before anything else is imported.

Garbage collection waits until all is: a start is quicker without. structlog loads Rich
where it is installed, to draw tracebacks on a console. There is none here, and a
replica would be up a quarter later.
"""

import gc
import sys

gc.disable()  # until collect_garbage in program.py
sys.modules["rich"] = None  # type: ignore[assignment]  # hides it
import structlog  # noqa: E402, F401  # while it is hidden

del sys.modules["rich"]
