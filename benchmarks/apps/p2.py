"""p2: 5 ms of Python, two processes."""

from p1 import Computing

from cortex_sdk import SyncAPI

api = SyncAPI(Computing, name="p2", processes_per_replica=2)
