"""w6: the trivial predict of w1, and slow work after each response."""

from typing import Any

import model

from cortex_sdk import SyncAPI


class Hooked:
    def predict(self, payload: Any) -> dict[str, int]:  # noqa: ANN401  # any JSON
        return {"y": model.label(payload["x"])}

    def post_predict(self) -> None:
        model.hook()


api = SyncAPI(Hooked, name="w6")
