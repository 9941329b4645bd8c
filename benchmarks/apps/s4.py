"""s4: 5 ms of sleep, four processes."""

from s1 import Sleeping

from cortex_sdk import SyncAPI

api = SyncAPI(Sleeping, name="s4", processes_per_replica=4)
