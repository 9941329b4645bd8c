"""w4: batches of a model whose cost is mostly that of a call."""

from typing import Any

import model

from cortex_sdk import Batching, SyncAPI


class Batched:
    def predict(self, payload: list[Any]) -> list[dict[str, int]]:
        return [{"y": y} for y in model.label_batch([one["x"] for one in payload])]


api = SyncAPI(
    Batched,
    name="w4",
    batching=Batching(
        max_batch_size=model.MOST_IN_BATCH, batch_interval=model.LONGEST_WAIT_SECONDS
    ),
)
