"""p1: 5 ms of Python, one process."""

from typing import Any

import model

from cortex_sdk import SyncAPI


class Computing:
    def predict(self, payload: Any) -> dict[str, int]:  # noqa: ANN401  # any JSON
        return {"y": model.label_computing(payload["x"])}


api = SyncAPI(Computing, name="p1")
