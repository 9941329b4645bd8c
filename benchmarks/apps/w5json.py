"""w5json: a large JSON body."""

from typing import Any

import model

from cortex_sdk import SyncAPI


class Numbers:
    def predict(self, payload: Any) -> dict[str, int]:  # noqa: ANN401  # any JSON
        return {"n": model.count(payload["x"])}


api = SyncAPI(Numbers, name="w5json")
