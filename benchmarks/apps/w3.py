"""w3: a scikit-learn model."""

from typing import Any

import model

from cortex_sdk import SyncAPI


class Iris:
    def __init__(self) -> None:
        self.classify = model.iris()

    def predict(self, payload: Any) -> dict[str, int]:  # noqa: ANN401  # any JSON
        return {"y": self.classify(payload["x"])}


api = SyncAPI(Iris, name="w3")
