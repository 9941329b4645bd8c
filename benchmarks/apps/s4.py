"""s4: 5 ms of sleep, four processes."""

from typing import Any

import model

from cortex_sdk import SyncAPI


class Sleeping:
    def predict(self, payload: Any) -> dict[str, int]:  # noqa: ANN401  # any JSON
        return {"y": model.label_sleeping(payload["x"])}


api = SyncAPI(Sleeping, name="s4", processes_per_replica=4)
