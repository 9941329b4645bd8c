"""w2: a trivial predict, async."""

from typing import Any

import model

from cortex_sdk import SyncAPI


class TrivialAsync:
    async def predict(self, payload: Any) -> dict[str, int]:  # noqa: ANN401  # any JSON
        return {"y": await model.label_async(payload["x"])}


api = SyncAPI(TrivialAsync, name="w2")
