"""w1: a trivial predict, sync."""

from typing import Any

import model

from cortex_sdk import SyncAPI


class Trivial:
    def predict(self, payload: Any) -> dict[str, int]:  # noqa: ANN401  # any JSON
        return {"y": model.label(payload["x"])}


api = SyncAPI(Trivial, name="w1")
